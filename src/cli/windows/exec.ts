import { hostConfig } from '../../config/load.ts';
import { AutomationError } from '../../core/errors.ts';
import { executeCommand } from '../../windows/exec.ts';
import { quoteWords, type Shell } from '../../windows/shells.ts';
import { defineAction } from '../command.ts';
import { fleetFlags, onHosts } from '../fleet.ts';
import { idempotentCheckOf } from '../idempotent.ts';
import type { Invocation } from '../invocation.ts';
import { withoutUndefined } from '../job-input.ts';
import { type ExecutionArgs, executionFlags, refuseRawOnMany, runExecution } from './execution.ts';
import { allVariables, type RunSettings, refuseOtherShells, runInput, runSettings } from './run-flags.ts';

const shells = ['auto', 'cmd', 'powershell', 'pwsh'];

export default defineAction({
  name: 'exec',
  description: "Runs a command in the host's own shell; the words behind -- are joined by spaces, as ssh does",
  wordsHint: 'COMMAND…',
  examples: [
    'windows exec -- hostname',
    'windows exec --raw -- type C:\\Windows\\win.ini',
    "windows exec --shell powershell --objects -- 'Get-Service | Where-Object Status -eq Stopped'",
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
    const settings = runSettings(args, given.args);
    if (args.shell === 'cmd') refuseOtherShells(args, 'cmd');
    return onHosts(given, args, (invocation) => execOn(invocation, args, settings));
  },
});

type ExecArgs = ExecutionArgs & { readonly shell?: string | undefined; readonly quote?: boolean | undefined };

async function execOn(invocation: Invocation, args: ExecArgs, settings: RunSettings): Promise<number> {
  const { loaded, host: name } = await invocation.open();
  const { shell: defaultShell } = hostConfig(loaded.config, name).windows;
  const given = (args.shell as Shell | undefined) ?? 'auto';
  const isForPowershell = settings.objectDepth !== undefined || settings.errorAction !== undefined;
  const shell = given === 'auto' && isForPowershell ? defaultShell : given;
  refuseOtherShells(args, shell);
  const { words } = invocation;
  const command = args.quote ? quoteWords(shell === 'auto' ? defaultShell : shell, words) : words.join(' ');
  if (args.artifacts) return execWithArtifacts(invocation, args, settings, { command, shell: args.shell });
  const { cwd, errorAction, objectDepth, objectMark, drainMs } = settings;
  const execution = { command, shell, cwd, env: allVariables(settings), errorAction, objectDepth, objectMark, drainMs };
  return runExecution(invocation, args, settings, ({ host, streams, idempotentCheck, signal }) =>
    executeCommand(host, { ...execution, idempotentCheck, streams }, signal),
  );
}

async function execWithArtifacts(
  invocation: Invocation,
  args: ExecArgs,
  settings: RunSettings,
  what: { readonly command: string; readonly shell: string | undefined },
): Promise<number> {
  // Loaded here alone: a command without artifacts needs none of it.
  const [{ runWithArtifacts }, { windowsExec }] = await Promise.all([
    import('./with-artifacts.ts'),
    import('../../jobs/types/windows-exec.ts'),
  ]);
  const input = withoutUndefined({ ...what, ...runInput(settings), idempotent_check: idempotentCheckOf(args) });
  return runWithArtifacts(invocation, args, settings, windowsExec, input);
}
