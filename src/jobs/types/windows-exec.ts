import * as v from 'valibot';
import { executeCommand, requirePowershell } from '../../windows/exec.ts';
import { defineJobType } from '../job-type.ts';
import { runExecution } from './execution.ts';
import { executionOptions, runInputs } from './run-input.ts';

/** A command in a shell of the host's. */
export const windowsExec = defineJobType({
  name: 'windows.exec',
  description: "a command in the host's shell",
  isGui: false,
  needsHost: true,
  input: v.pipe(
    v.strictObject({
      command: v.pipe(v.string(), v.regex(/\S/, 'is empty')),
      shell: v.optional(v.picklist(['auto', 'cmd', 'powershell', 'pwsh']), 'auto'),
      ...runInputs,
    }),
    v.check(
      ({ shell, objects, error_action }) => shell !== 'cmd' || !(objects || error_action !== undefined),
      'objects and error_action need PowerShell, and the shell is cmd',
    ),
  ),
  run: ({ command, shell, ...input }, context) => {
    const { windows, signal, secretEnv } = context;
    const options = executionOptions(input, secretEnv);
    const wanted = shell === 'auto' && isForPowershell(options) ? windows.knownShell : shell;
    if (options.objectDepth !== undefined) requirePowershell(wanted, 'objects');
    if (options.errorAction !== undefined) requirePowershell(wanted, 'error_action');
    return runExecution(context, options.objectMark, (streams) =>
      executeCommand(windows, { ...options, command, shell: wanted, streams }, signal),
    );
  },
});

const isForPowershell = ({ objectDepth, errorAction }: ReturnType<typeof executionOptions>) =>
  objectDepth !== undefined || errorAction !== undefined;
