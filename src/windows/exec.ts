import { Writable } from 'node:stream';
import { AutomationError } from '../core/errors.ts';
import { type CommandResult, type CommandStreams, runCommand } from './command.ts';
import { type ConnectOptions, connect } from './connection.ts';
import { powershellCommandLine } from './powershell.ts';
import type { SshTarget } from './target.ts';

export interface ExecRequest {
  /** Runs in the host's own shell, unchanged. */
  readonly command: string;
  /** PowerShell: if it exits 0, the work is done already and the command is skipped. */
  readonly idempotentCheck?: string | undefined;
  readonly streams: CommandStreams;
}

/** How a request ended. `timeout` and `cancelled` mean that the command was started and then stopped. */
export type ExecState = 'completed' | 'failed' | 'skipped' | 'timeout' | 'cancelled';

export interface ExecOutcome extends CommandResult {
  readonly state: ExecState;
}

/**
 * Connects, asks the idempotency check, runs the command, and disconnects.
 *
 * @param options.signal ends the command on the host as well
 * @throws AutomationError where no outcome can be told: see `connect` and `runCommand`
 */
export async function execute(target: SshTarget, request: ExecRequest, options: ConnectOptions): Promise<ExecOutcome> {
  const { signal } = options;
  const check = request.idempotentCheck === undefined ? undefined : powershellCommandLine(request.idempotentCheck);
  const connection = await connect(target, options);
  try {
    if (check !== undefined) {
      const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });
      const checked = await runCommand(connection, check, { stdout: nowhere(), stderr: nowhere() }, signal);
      if (checked.status === undefined) throw checked.stoppedBy;
      if (checked.status.exitCode === 0) return { ...checked, state: 'skipped' };
    }
    const result = await runCommand(connection, request.command, request.streams, signal);
    return { ...result, state: stateOf(result) };
  } finally {
    await connection.close();
  }
}

function stateOf({ status, stoppedBy }: CommandResult): ExecState {
  if (status !== undefined) return status.exitCode === 0 ? 'completed' : 'failed';
  return stoppedBy instanceof AutomationError && stoppedBy.code === 'timeout' ? 'timeout' : 'cancelled';
}
