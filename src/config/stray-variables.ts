import { nearest } from '../core/nearest.ts';
import type { Environment } from './load.ts';
import { type Secret, secrets, settings } from './sections.ts';

/** Variables that other parts of the program read. */
const otherVariables = ['WIN_AUTOMATION_CONFIG', 'WIN_AUTOMATION_SUPERVISOR_FAILPOINT', 'WIN_AUTOMATION_METRICS_PATH'];

/** Variables that look as if they were meant for us, and do nothing: each worth a word. */
export function strayVariables(env: Environment, isHatchetUsed: boolean): string[] {
  return [...unknownVariables(env), ...(isHatchetUsed ? hatchetVariables(env) : [])];
}

/** A variable that nothing reads is most likely a slip of the pen, and would else go unnoticed. */
function unknownVariables(env: Environment): string[] {
  const known = [
    ...settings.map((named) => named.env),
    ...Object.values<Secret>(secrets).flatMap((secret) => [secret.env, `${secret.env}_FILE`]),
    ...otherVariables,
  ];
  return Object.keys(env)
    .filter((name) => name.startsWith('WIN_AUTOMATION_') && !known.includes(name))
    .map((name) => {
      const guess = nearest(name, known);
      return `${name} is set, but nothing reads it${guess === undefined ? '' : `; did you mean ${guess}?`}`;
    });
}

/** What Hatchet's own SDK would read; here it follows our configuration alone, which is worth a word. */
function hatchetVariables(env: Environment): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('HATCHET_CLIENT_'))
    .map((name) => `${name} is set, but nothing reads it: set WIN_AUTOMATION_HATCHET_… instead`);
}
