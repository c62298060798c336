import { randomUUID } from 'node:crypto';
import { readSmallFile } from '../../config/file.ts';
import { durationFlag, formatDuration, type Milliseconds } from '../../core/duration.ts';
import { AutomationError, ProblemsError } from '../../core/errors.ts';
import { defaultObjectDepth, environmentName, maxObjectDepth } from '../../jobs/types/run-input.ts';
import { requirePowershell } from '../../windows/exec.ts';
import type { ErrorAction } from '../../windows/powershell/compose.ts';
import type { Shell } from '../../windows/shells.ts';
import { flagValues } from '../arguments.ts';
import { wholeNumber } from '../job-input.ts';

const errorActions: string[] = ['stop', 'continue'];

/** The flags that say how a command or a script is run, now or as a job. */
export const runFlags = {
  cwd: {
    type: 'string',
    valueHint: 'PATH',
    description: 'the folder on Windows to start in (default: the home folder)',
  },
  env: { type: 'string', valueHint: 'NAME=VALUE', description: 'an environment variable; may be given again' },
  'error-action': {
    type: 'enum',
    options: errorActions,
    description: 'PowerShell: an error ends the run (stop, the default), or is printed and passed over',
  },
  drain: {
    type: 'string',
    valueHint: 'D',
    description: 'silence after which what a command left running is not waited for (default: 1s; 0s: until it ends)',
  },
  objects: { type: 'boolean', description: 'PowerShell: each object as a line of JSON, as it comes' },
  depth: { type: 'string', valueHint: 'N', description: '--objects: levels of JSON, 1 to 10 (default: 2)' },
} as const;

/** Not for jobs: what a secret file holds must be in no input. */
export const secretRunFlags = {
  'env-file': {
    type: 'string',
    valueHint: 'FILE',
    description: 'environment variables of a file, NAME=VALUE a line, the value as it stands: for secrets',
  },
} as const;

export interface RunArgs {
  readonly cwd?: string | undefined;
  readonly 'env-file'?: string | undefined;
  readonly 'error-action'?: string | undefined;
  readonly drain?: string | undefined;
  readonly objects?: boolean | undefined;
  readonly depth?: string | undefined;
  readonly raw?: boolean | undefined;
}

/** What those flags mean. */
export interface RunSettings {
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>> | undefined;
  /** From --env-file: for no input and no manifest. */
  readonly secretEnv: Readonly<Record<string, string>> | undefined;
  readonly errorAction: ErrorAction | undefined;
  readonly drainMs: Milliseconds | undefined;
  /** Undefined unless objects are wanted. */
  readonly objectDepth: number | undefined;
  /** What records are known by. */
  readonly objectMark: string;
}

/** Reads them. @param given the command's own words @throws ProblemsError `usage` with every problem; AutomationError `usage` */
export function runSettings(args: RunArgs, given: readonly string[]): RunSettings {
  if (args.objects && args.raw) throw new AutomationError('usage', '--objects and --raw do not go together');
  if (args.depth !== undefined && !args.objects) throw new AutomationError('usage', '--depth is for --objects');
  const depth = wholeNumber('depth', args.depth) ?? defaultObjectDepth;
  if (depth < 1 || depth > maxObjectDepth) {
    throw new AutomationError('usage', `--depth ${args.depth}: from 1 to ${maxObjectDepth}`);
  }
  const secrets = args['env-file'];
  return {
    cwd: args.cwd,
    env: parseVariables(flagValues(given, 'env')),
    secretEnv: secrets === undefined ? undefined : readVariables(secrets),
    errorAction: args['error-action'] as ErrorAction | undefined,
    drainMs: args.drain === undefined ? undefined : durationFlag('drain', args.drain, 0),
    objectDepth: args.objects ? depth : undefined,
    objectMark: randomUUID(),
  };
}

/** @throws AutomationError `usage` where a flag of PowerShell's was given and the shell is another, or not known */
export function refuseOtherShells(args: RunArgs, shell: Shell): void {
  if (args.objects) requirePowershell(shell, '--objects');
  if (args['error-action'] !== undefined) requirePowershell(shell, '--error-action');
}

/** The keys of a job's input that they become. */
export function runInput({ cwd, env, errorAction, objectDepth, drainMs }: RunSettings) {
  const isObjects = objectDepth !== undefined;
  const drain = drainMs === undefined ? undefined : formatDuration(drainMs);
  return { cwd, env, error_action: errorAction, objects: isObjects || undefined, depth: objectDepth, drain };
}

/** Both kinds of variables, for a run that is no job. */
export function allVariables({ env, secretEnv }: RunSettings): Readonly<Record<string, string>> | undefined {
  return env === undefined && secretEnv === undefined ? undefined : { ...env, ...secretEnv };
}

function parseVariables(given: readonly string[]): Record<string, string> | undefined {
  if (given.length === 0) return undefined;
  const pairs = given.map((text) => {
    const end = text.indexOf('=');
    return [end === -1 ? text : text.slice(0, end), end === -1 ? undefined : text.slice(end + 1)] as const;
  });
  const problems = pairs
    .filter(([name, value]) => value === undefined || !environmentName.test(name))
    // The value may be a secret in spite of all.
    .map(([name]) => `--env ${name}: not NAME=VALUE`);
  if (problems.length > 0) throw new ProblemsError('usage', problems);
  return Object.fromEntries(pairs.map(([name, value]) => [name, value ?? '']));
}

/**
 * NAME=VALUE, one a line: the value is all behind the first "=" as it stands, without the quotes around it if there are any.
 * Nothing else means anything in it: a secret may have any character.
 */
function readVariables(file: string): Record<string, string> {
  const lines = readSmallFile(file, '--env-file')
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/);
  const variables: Record<string, string> = {};
  const problems: string[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const end = line.indexOf('=');
    const name = line.slice(0, Math.max(end, 0));
    if (end === -1 || !environmentName.test(name)) problems.push(`--env-file ${file}:${index + 1}: not NAME=VALUE`);
    else variables[name] = line.slice(end + 1).replace(/^(["'])(.*)\1$/, '$2');
  }
  if (problems.length > 0) throw new ProblemsError('usage', problems);
  return variables;
}
