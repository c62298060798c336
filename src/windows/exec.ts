import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { isTimeout } from '../core/deadline.ts';
import type { CommandResult, CommandStreams } from './command.ts';
import type { WindowsHost } from './host.ts';
import { composeCmdCommand, composeCommand, composeUserScript } from './powershell/compose.ts';
import { markedCommand, type Shell } from './shells.ts';

interface Execution {
  /** PowerShell: if it exits 0, the work is done already and is skipped. */
  readonly idempotentCheck?: string | undefined;
  readonly streams: CommandStreams;
}

export interface CommandExecution extends Execution {
  /** Written for the shell that runs it. */
  readonly command: string;
  /** The shell to run it in; `auto` is the one that sshd starts. */
  readonly shell: Shell;
  /** What sshd's DefaultShell is on that host, where it is known. */
  readonly defaultShell: Shell;
}

export interface ScriptExecution extends Execution {
  /** The text of a .ps1 file. */
  readonly script: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** How an execution ended. `timeout` and `cancelled` mean that it was started and then stopped. */
export type ExecState = 'completed' | 'failed' | 'skipped' | 'timeout' | 'cancelled';

export interface ExecOutcome extends CommandResult {
  readonly state: ExecState;
}

/**
 * Asks the idempotency check and runs a command.
 *
 * @param signal ends the command on the host as well
 * @throws AutomationError where no outcome can be told: see `connect` and `runCommand`
 */
export function executeCommand(
  host: WindowsHost,
  execution: CommandExecution,
  signal: AbortSignal,
): Promise<ExecOutcome> {
  return unlessDone(host, execution, signal, () => runIn(host, execution, signal));
}

function runIn(
  host: WindowsHost,
  { command, shell, defaultShell, streams }: CommandExecution,
  signal: AbortSignal,
): Promise<CommandResult> {
  const marker = `run-${randomUUID()}`;
  if (shell === 'auto' || (shell === 'cmd' && defaultShell === 'cmd')) {
    const marked = markedCommand(defaultShell, command, marker);
    return host.command(marked.commandLine, streams, signal, marked.marker);
  }
  const text = shell === 'cmd' ? composeCmdCommand(command) : composeCommand(command);
  // The comment makes the command line one of its kind, by which its processes are found again.
  return host.powershell(`${text}\n# ${marker}\n`, streams, signal, shell === 'pwsh' ? 'pwsh' : 'powershell');
}

/** Asks the idempotency check and runs a PowerShell script with named parameters. See `executeCommand`. */
export function executeScript(
  host: WindowsHost,
  execution: ScriptExecution,
  signal: AbortSignal,
): Promise<ExecOutcome> {
  const text = composeUserScript(execution.script, execution.parameters);
  return unlessDone(host, execution, signal, () => host.powershell(text, execution.streams, signal));
}

/**
 * Whether an idempotency check holds: PowerShell that exits 0 where there is nothing to do.
 *
 * @throws the signal's reason, and what `connect` and `runCommand` throw
 */
export async function holds(host: WindowsHost, idempotentCheck: string, signal: AbortSignal): Promise<boolean> {
  const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });
  const streams = { stdout: nowhere(), stderr: nowhere() };
  const checked = await host.powershell(composeCommand(idempotentCheck), streams, signal);
  if (checked.status === undefined) throw checked.stoppedBy;
  return checked.status.exitCode === 0;
}

async function unlessDone(
  host: WindowsHost,
  { idempotentCheck }: Execution,
  signal: AbortSignal,
  run: () => Promise<CommandResult>,
): Promise<ExecOutcome> {
  const startedMs = performance.now();
  if (idempotentCheck !== undefined && (await holds(host, idempotentCheck, signal))) {
    const durationMs = Math.round(performance.now() - startedMs);
    return { state: 'skipped', status: { exitCode: 0, signal: null }, stoppedBy: undefined, durationMs };
  }
  const result = await run();
  return { ...result, state: stateOf(result) };
}

function stateOf({ status, stoppedBy }: CommandResult): ExecState {
  if (status !== undefined) return status.exitCode === 0 ? 'completed' : 'failed';
  return isTimeout(stoppedBy) ? 'timeout' : 'cancelled';
}
