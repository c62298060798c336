import { hostConfig } from '../../config/load.ts';
import { AutomationError } from '../../core/errors.ts';
import { executeCommand } from '../../windows/exec.ts';
import { defineAction } from '../command.ts';
import { executionFlags, runExecution } from './execution.ts';

const shells = ['auto', 'cmd', 'powershell', 'pwsh'];

export default defineAction({
  name: 'exec',
  description: "Runs a command in the host's own shell; the words behind -- are joined by spaces, as ssh does",
  wordsHint: 'COMMAND…',
  examples: [
    'windows exec -- hostname',
    'windows exec --raw -- type C:\\Windows\\win.ini',
    "windows exec --idempotent --idempotent-check 'if (-not (Test-Path C:\\app)) { exit 1 }' -- mkdir C:\\app",
  ],
  args: {
    ...executionFlags,
    shell: { type: 'enum', options: shells, description: "what sshd's DefaultShell is (default: windows.shell)" },
  },
  run: (invocation, args) => {
    const command = invocation.words.join(' ');
    if (command.trim() === '') throw new AutomationError('usage', 'no command: windows exec -- COMMAND…');
    return runExecution(invocation, args, ({ session, host, streams, idempotentCheck, signal }) => {
      const shell = (args.shell as 'auto' | undefined) ?? hostConfig(session.loaded.config, session.host).windows.shell;
      return executeCommand(host, { command, shell, idempotentCheck, streams }, signal);
    });
  },
});
