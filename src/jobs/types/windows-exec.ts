import * as v from 'valibot';
import { hostConfig } from '../../config/load.ts';
import { executeCommand } from '../../windows/exec.ts';
import { defineJobType } from '../job-type.ts';
import { idempotentCheck, runExecution } from './execution.ts';

/** A command in a shell of the host's. */
export const windowsExec = defineJobType({
  name: 'windows.exec',
  description: "a command in the host's shell",
  isGui: false,
  needsHost: true,
  input: v.strictObject({
    command: v.pipe(v.string(), v.regex(/\S/, 'is empty')),
    shell: v.optional(v.picklist(['auto', 'cmd', 'powershell', 'pwsh']), 'auto'),
    idempotent_check: idempotentCheck,
  }),
  run: ({ command, shell, idempotent_check }, context) => {
    const { windows, loaded, host, signal } = context;
    const { shell: defaultShell } = hostConfig(loaded.config, host).windows;
    return runExecution(context, (streams) =>
      executeCommand(windows, { command, shell, defaultShell, idempotentCheck: idempotent_check, streams }, signal),
    );
  },
});
