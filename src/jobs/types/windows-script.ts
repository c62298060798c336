import * as v from 'valibot';
import { executeScript } from '../../windows/exec.ts';
import type { ParameterValue } from '../../windows/powershell/compose.ts';
import { defineJobType } from '../job-type.ts';
import { runExecution } from './execution.ts';
import { executionOptions, runInputs } from './run-input.ts';

/** All that a job's input may bring along beside its script, in bytes. */
export const maxBesideBytes = 1024 * 1024;

const parameterValue: v.GenericSchema = v.lazy(() =>
  v.union([
    v.string(),
    v.number(),
    v.boolean(),
    v.null(),
    v.array(parameterValue),
    v.record(v.string(), parameterValue),
  ]),
);

/** A path below the script's folder: no drive, no way out, no name that Windows reserves. */
const besidePath = v.pipe(
  v.string(),
  v.maxLength(1_024),
  v.check(
    (path) =>
      path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\:*?"<>|\0]/.test(part)),
    'is no path below the script',
  ),
);

/** A PowerShell script with named parameters. */
export const windowsScript = defineJobType({
  name: 'windows.script',
  description: 'a PowerShell script with parameters',
  isGui: false,
  needsHost: true,
  input: v.strictObject({
    script: v.pipe(v.string(), v.minLength(1), v.maxLength(1024 * 1024)),
    /** The file name that errors point at. */
    name: v.optional(v.pipe(v.string(), v.regex(/^[^\\/:*?"<>|\0]{1,100}\.ps1$/i))),
    parameters: v.optional(v.record(v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/)), parameterValue), {}),
    /** Files beside the script: their paths, and their content in base64. */
    with: v.optional(
      v.pipe(
        v.array(v.strictObject({ path: besidePath, base64: v.pipe(v.string(), v.base64()) })),
        v.check(
          (files) => files.reduce((sum, { base64 }) => sum + Buffer.byteLength(base64, 'base64'), 0) <= maxBesideBytes,
          'has more than 1 MiB in all',
        ),
      ),
    ),
    ...runInputs,
  }),
  run: ({ script, name, parameters, with: files = [], ...input }, context) => {
    const options = executionOptions(input, context.secretEnv);
    const beside = files.map(({ path, base64 }) => ({ path, content: Buffer.from(base64, 'base64') }));
    return runExecution(context, options.objectDepth !== undefined, (streams) =>
      executeScript(
        context.windows,
        { ...options, script, name, parameters: parameters as Record<string, ParameterValue>, beside, streams },
        context.signal,
      ),
    );
  },
});
