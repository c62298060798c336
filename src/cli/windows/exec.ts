import { hostConfig } from '../../config/load.ts';
import { AutomationError } from '../../core/errors.ts';
import { executeCommand } from '../../windows/exec.ts';
import { quoteWords, type Shell } from '../../windows/shells.ts';
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
    shell: { type: 'enum', options: shells, description: "the shell to run it in (default: sshd's DefaultShell)" },
    quote: { type: 'boolean', description: 'quote each word for that shell, so that it arrives as it is' },
  },
  run: (invocation, args) => {
    if (invocation.words.join('').trim() === '') {
      throw new AutomationError('usage', 'no command: windows exec -- COMMAND…');
    }
    return runExecution(invocation, args, ({ session, host, streams, idempotentCheck, signal }) => {
      const { shell: defaultShell } = hostConfig(session.loaded.config, session.host).windows;
      const shell = (args.shell as Shell | undefined) ?? 'auto';
      const command = args.quote
        ? quoteWords(shell === 'auto' ? defaultShell : shell, invocation.words)
        : invocation.words.join(' ');
      return executeCommand(host, { command, shell, defaultShell, idempotentCheck, streams }, signal);
    });
  },
});
