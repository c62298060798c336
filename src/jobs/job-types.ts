import { AutomationError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import type { JobType } from './job-type.ts';
import { alohaRun } from './types/aloha-run.ts';
import { artifactsGc } from './types/artifacts-gc.ts';
import { playwrightRun } from './types/playwright-run.ts';
import { supervisorPass } from './types/supervisor-pass.ts';
import { windowsExec } from './types/windows-exec.ts';
import { windowsScript } from './types/windows-script.ts';

/** Every kind of job there is. */
export const jobTypes: readonly JobType[] = [
  windowsExec,
  windowsScript,
  alohaRun,
  playwrightRun,
  supervisorPass,
  artifactsGc,
];

/** @throws AutomationError `usage` with the nearest that there is */
export function jobTypeOf(name: string): JobType {
  const type = jobTypes.find((one) => one.name === name);
  if (type !== undefined) return type;
  const known = jobTypes.map((one) => one.name);
  throw new AutomationError('usage', `${name}: no such job type${didYouMean(name, known)}`, {
    hint: `there are ${known.join(', ')}`,
  });
}
