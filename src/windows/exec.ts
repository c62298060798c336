import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { isTimeout } from '../core/deadline.ts';
import { AutomationError, ProblemsError } from '../core/errors.ts';
import { Capture } from './capture.ts';
import type { CommandResult, CommandStreams } from './command.ts';
import type { PowershellOptions, WindowsHost } from './host.ts';
import {
  composeCmdRun,
  composeRun,
  type ErrorAction,
  type ParameterValue,
  type PowershellRun,
} from './powershell/compose.ts';
import { RefusalFilter } from './refusal.ts';
import { type BesideScript, bringBeside, removeRunFolder } from './run-folder.ts';
import type { Shell } from './shells.ts';

const maxReasonBytes = 4_096;

interface Execution {
  /** PowerShell: if it exits 0, the work is done already and is skipped. */
  readonly idempotentCheck?: string | undefined;
  readonly streams: CommandStreams;
  /** The folder on Windows to start in; the account's home folder unless told. */
  readonly cwd?: string | undefined;
  /** Environment variables. They travel as data, on standard input. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Whether an error of PowerShell ends the run (`stop`, unless told) or is printed and passed over. */
  readonly errorAction?: ErrorAction | undefined;
  /** How long a command that has ended is waited for while nothing comes; see `CommandOptions`. */
  readonly drainMs?: number | undefined;
  /** PowerShell's objects as lines of JSON (object-records.ts), so many levels deep; text unless told. */
  readonly objectDepth?: number | undefined;
  /** What `ObjectRecords` knows those lines by. */
  readonly objectMark?: string | undefined;
}

export interface CommandExecution extends Execution {
  /** Written for the shell that runs it. */
  readonly command: string;
  /** The shell to run it in; `auto` is the one that sshd starts. */
  readonly shell: Shell;
}

export interface ScriptExecution extends Execution {
  /** The text of a .ps1 file. */
  readonly script: string;
  /** Its file name, which errors point at. */
  readonly name?: string | undefined;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  /** What is brought to Windows beside the script, and removed after the run. */
  readonly beside?: readonly BesideScript[] | undefined;
}

/** How an execution ended. `timeout` and `cancelled` mean that it was started and then stopped. */
export type ExecState = 'completed' | 'failed' | 'skipped' | 'timeout' | 'cancelled';

export interface ExecOutcome extends CommandResult {
  readonly state: ExecState;
  /** Whether PowerShell wrote the output, in UTF-8; else it is in whatever code page the command uses. */
  readonly isPowershell: boolean;
}

/**
 * Asks the idempotency check and runs a command.
 *
 * @param signal ends the command on the host as well
 * @throws ProblemsError `usage` where the host has no such folder; AutomationError where no outcome can be told: see `connect`
 *   and `runCommand`
 */
export async function executeCommand(
  host: WindowsHost,
  execution: CommandExecution,
  signal: AbortSignal,
): Promise<ExecOutcome> {
  return unlessDone(host, execution, signal, () => runIn(host, execution, signal));
}

type Ran = CommandResult & { readonly isPowershell: boolean };

async function runIn(host: WindowsHost, execution: CommandExecution, signal: AbortSignal): Promise<Ran> {
  const { command, streams, cwd, env, errorAction, objectDepth, objectMark, drainMs } = execution;
  const isPrepared = cwd !== undefined || env !== undefined;
  const shell = execution.shell === 'auto' && isPrepared ? await host.defaultShell() : execution.shell;
  if (shell === 'auto' || (shell === 'cmd' && host.knownShell === 'cmd' && !isPrepared)) {
    return { ...(await host.command(command, streams, signal, drainMs)), isPowershell: false };
  }
  const options = { refusal: randomUUID(), cwd, env };
  if (shell === 'cmd') {
    return {
      ...(await runText(host, composeCmdRun(command, options), options.refusal, streams, signal, { drainMs })),
      isPowershell: false,
    };
  }
  const run = { ...options, kind: 'command', text: command, errorAction, objectDepth, objectMark } as const;
  return runPowershell(host, run, streams, signal, { program: shell, drainMs });
}

/**
 * Asks the idempotency check and runs a PowerShell script with named parameters.
 *
 * @throws ProblemsError `usage` where the script declares no such parameter or a value is not of its type; else as
 *   `executeCommand`
 */
export async function executeScript(
  host: WindowsHost,
  execution: ScriptExecution,
  signal: AbortSignal,
): Promise<ExecOutcome> {
  const {
    script,
    name,
    parameters,
    beside = [],
    streams,
    cwd,
    env,
    errorAction,
    objectDepth,
    objectMark,
    drainMs,
  } = execution;
  const refusal = randomUUID();
  const folder = `.win-automation-${refusal}`;
  return unlessDone(host, execution, signal, async () => {
    await host.connection(signal);
    let isOver = false;
    try {
      await bringBeside(host, folder, beside, signal);
      const run: PowershellRun = {
        kind: 'script',
        text: script,
        name: name ?? 'script.ps1',
        folder,
        parameters,
        refusal,
        cwd,
        env,
        errorAction,
        objectDepth,
        objectMark,
      };
      const result = await runPowershell(host, run, streams, signal, { drainMs });
      // A script that came to its end has removed its folder itself; one more look makes sure where much was brought.
      isOver = result.status !== undefined && beside.length === 0;
      return result;
    } finally {
      if (!isOver) await removeRunFolder(host, folder);
    }
  });
}

/**
 * Whether an idempotency check holds: PowerShell that exits 0 where there is nothing to do.
 *
 * @throws the signal's reason, and what `connect` and `runCommand` throw
 */
export async function holds(host: WindowsHost, idempotentCheck: string, signal: AbortSignal): Promise<boolean> {
  const stderr = new Capture(maxReasonBytes);
  const streams = { stdout: new Writable({ write: (_chunk, _encoding, done) => done() }), stderr };
  const run = { kind: 'check', text: idempotentCheck, refusal: randomUUID() } as const;
  const checked = await runPowershell(host, run, streams, signal, {});
  if (checked.status === undefined) throw checked.stoppedBy;
  const isDone = checked.status.exitCode === 0;
  // A check with a typing error never holds: whoever wrote it has to hear of that.
  const err = stderr.read().text.trim();
  if (!isDone && err !== '')
    host.logger.warn('idempotent_check', 'the check does not hold, and gave an error', { err });
  return isDone;
}

async function runPowershell(
  host: WindowsHost,
  run: PowershellRun,
  streams: CommandStreams,
  signal: AbortSignal,
  options: PowershellOptions,
): Promise<Ran> {
  const text = composeRun({ ...run, hasInput: streams.stdin !== undefined });
  return { ...(await runText(host, text, run.refusal, streams, signal, options)), isPowershell: true };
}

async function runText(
  host: WindowsHost,
  text: string,
  refusal: string,
  streams: CommandStreams,
  signal: AbortSignal,
  options: PowershellOptions,
): Promise<CommandResult> {
  const stderr = new RefusalFilter(streams.stderr, refusal);
  const result = await host.powershell(text, { ...streams, stderr }, signal, options);
  await stderr.flush();
  if (stderr.problems !== undefined) throw new ProblemsError('usage', stderr.problems);
  return result;
}

async function unlessDone(
  host: WindowsHost,
  { idempotentCheck }: Execution,
  signal: AbortSignal,
  run: () => Promise<Ran>,
): Promise<ExecOutcome> {
  const startedMs = performance.now();
  if (idempotentCheck !== undefined && (await holds(host, idempotentCheck, signal))) {
    const durationMs = Math.round(performance.now() - startedMs);
    const status = { exitCode: 0, signal: null };
    return { state: 'skipped', status, stoppedBy: undefined, durationMs, isDetached: false, isPowershell: true };
  }
  const result = await run();
  return { ...result, state: stateOf(result) };
}

function stateOf({ status, stoppedBy }: CommandResult): ExecState {
  if (status !== undefined) return status.exitCode === 0 ? 'completed' : 'failed';
  return isTimeout(stoppedBy) ? 'timeout' : 'cancelled';
}

/**
 * Refuses what only PowerShell can do where another shell is to run the command.
 *
 * @param asked the flag or input key, as the user wrote it
 * @throws AutomationError `usage`
 */
export function requirePowershell(shell: Shell, asked: string): void {
  if (shell === 'powershell' || shell === 'pwsh') return;
  throw new AutomationError('usage', `${asked} needs PowerShell, and the shell is ${shell}`, {
    hint: 'give --shell powershell or --shell pwsh',
  });
}
