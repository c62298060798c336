import type { ParsedArgs } from 'citty';
import { hostConfig } from '../../config/load.ts';
import { AutomationError } from '../../core/errors.ts';
import { executeCommand } from '../../windows/exec.ts';
import { quoteWords, type Shell } from '../../windows/shells.ts';
import { defineAction } from '../command.ts';
import { fleetFlags, onHosts } from '../fleet.ts';
import { idempotentCheckOf } from '../idempotent.ts';
import type { Invocation } from '../invocation.ts';
import { withoutUndefined } from '../job-input.ts';
import { executionFlags, refuseRawOnMany, runExecution } from './execution.ts';

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
    ...fleetFlags,
    quote: { type: 'boolean', description: 'quote each word for that shell, so that it arrives as it is' },
  },
  run: (given, args) => {
    if (given.words.join('').trim() === '') {
      throw new AutomationError('usage', 'no command: windows exec -- COMMAND…');
    }
    refuseRawOnMany(args);
    return onHosts(given, args, (invocation) => execOn(invocation, args));
  },
});

function execOn(invocation: Invocation, args: ExecArgs): Promise<number> {
  const shell = (args.shell as Shell | undefined) ?? 'auto';
  const commandFor = (defaultShell: Shell) =>
    args.quote ? quoteWords(shell === 'auto' ? defaultShell : shell, invocation.words) : invocation.words.join(' ');
  if (args.artifacts) return execWithArtifacts(invocation, args, shell, commandFor);
  return runExecution(invocation, args, ({ session, host, streams, idempotentCheck, signal }) => {
    const { shell: defaultShell } = hostConfig(session.loaded.config, session.host).windows;
    const execution = { command: commandFor(defaultShell), shell, defaultShell, idempotentCheck, streams };
    return executeCommand(host, execution, signal);
  });
}

type ExecArgs = ParsedArgs<typeof executionFlags> & {
  readonly shell?: string | undefined;
  readonly quote?: boolean | undefined;
};

async function execWithArtifacts(
  invocation: Invocation,
  args: ParsedArgs<typeof executionFlags>,
  shell: Shell,
  commandFor: (defaultShell: Shell) => string,
): Promise<number> {
  const idempotent_check = idempotentCheckOf(args);
  const { loaded, host } = await invocation.open();
  const command = commandFor(hostConfig(loaded.config, host).windows.shell);
  // Loaded here alone: a command without artifacts needs none of it.
  const [{ runWithArtifacts }, { windowsExec }] = await Promise.all([
    import('./with-artifacts.ts'),
    import('../../jobs/types/windows-exec.ts'),
  ]);
  return runWithArtifacts(invocation, args, windowsExec, withoutUndefined({ command, shell, idempotent_check }));
}
