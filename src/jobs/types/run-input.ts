import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { durationForm, parseDuration } from '../../core/duration.ts';

/** Names of environment variables that Windows and its shells take everywhere. */
export const environmentName = /^[A-Za-z_][A-Za-z0-9_().-]*$/;
export const defaultObjectDepth = 2;
export const maxObjectDepth = 10;

/** PowerShell that exits 0 where there is nothing to do. */
export const idempotentCheck = v.optional(v.pipe(v.string(), v.minLength(1)));

/** What every execution on Windows may be told. */
export const runInputs = {
  idempotent_check: idempotentCheck,
  /** The folder on Windows to start in. */
  cwd: v.optional(
    v.pipe(
      v.string(),
      v.minLength(1),
      v.check((path) => !/\p{Cc}/u.test(path), 'has a control character'),
    ),
  ),
  /** Environment variables; not for secrets, since a job's input is stored. */
  env: v.optional(v.record(v.pipe(v.string(), v.regex(environmentName)), v.string())),
  /** Silence after which what a command left running is not waited for: a duration, 1s unless told. */
  drain: v.optional(
    v.pipe(
      v.string(),
      v.check((text) => parseDuration(text) !== undefined, `is not ${durationForm}`),
    ),
  ),
  /** PowerShell: whether an error ends the run. */
  error_action: v.optional(v.picklist(['stop', 'continue'])),
  /** PowerShell: its objects as data, `depth` levels deep. */
  objects: v.optional(v.boolean()),
  depth: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(maxObjectDepth))),
};

/** What `executeCommand` and `executeScript` take of it. @param secretEnv variables that are in no input */
export function executionOptions(
  input: v.InferOutput<v.StrictObjectSchema<typeof runInputs, undefined>>,
  secretEnv: Readonly<Record<string, string>> | undefined,
) {
  const isPrepared = input.env !== undefined || secretEnv !== undefined;
  return {
    idempotentCheck: input.idempotent_check,
    cwd: input.cwd,
    env: isPrepared ? { ...input.env, ...secretEnv } : undefined,
    errorAction: input.error_action,
    drainMs: input.drain === undefined ? undefined : parseDuration(input.drain),
    objectMark: input.objects ? randomUUID() : undefined,
    objectDepth: input.objects ? (input.depth ?? defaultObjectDepth) : undefined,
  };
}
