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

/** Names of devices, with any ending; learn.microsoft.com, "Naming Files, Paths, and Namespaces". */
const reserved = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;
const isFileName = (part: string) =>
  part !== '' && !/^\.+$/.test(part) && !/[. ]$/.test(part) && !/[\\:*?"<>|\p{Cc}]/u.test(part) && !reserved.test(part);

/** A path below the script's folder: no drive, no way out, no name that Windows reserves. */
const besidePath = v.pipe(
  v.string(),
  v.maxLength(1_024),
  v.check((path) => path.split('/').every(isFileName), 'is no path below the script'),
);

function areDistinct(paths: readonly string[]): boolean {
  const all = new Set(paths);
  const folders = paths.flatMap((path) => path.split('/').map((_, i, parts) => parts.slice(0, i).join('/')));
  return all.size === paths.length && !folders.some((folder) => all.has(folder));
}

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
    parameters: v.optional(v.record(v.pipe(v.string(), v.regex(/^[\p{L}_][\p{L}\p{N}_]*$/u)), parameterValue), {}),
    /** Files beside the script: their paths, and their content in base64. */
    with: v.optional(
      v.pipe(
        v.array(v.strictObject({ path: besidePath, base64: v.pipe(v.string(), v.base64()) })),
        v.check(
          (files) => files.reduce((sum, { base64 }) => sum + Buffer.byteLength(base64, 'base64'), 0) <= maxBesideBytes,
          'has more than 1 MiB in all',
        ),
        v.check(
          (files) => areDistinct(files.map(({ path }) => path.toLowerCase())),
          'names one file twice, or a file as a folder',
        ),
      ),
    ),
    ...runInputs,
  }),
  run: ({ script, name, parameters, with: files = [], ...input }, context) => {
    const options = executionOptions(input, context.secretEnv);
    const beside = files.map(({ path, base64 }) => ({ path, content: Buffer.from(base64, 'base64') }));
    return runExecution(context, options.objectMark, (streams) =>
      executeScript(
        context.windows,
        { ...options, script, name, parameters: parameters as Record<string, ParameterValue>, beside, streams },
        context.signal,
      ),
    );
  },
});
