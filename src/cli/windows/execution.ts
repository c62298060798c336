import process from 'node:process';
import type { ParsedArgs } from 'citty';
import { Deadline } from '../../core/deadline.ts';
import { durationFlag } from '../../core/duration.ts';
import { AutomationError, messageOf } from '../../core/errors.ts';
import { exitCodeOf, exitCodes } from '../../core/exit-codes.ts';
import { Capture } from '../../windows/capture.ts';
import type { CommandStreams } from '../../windows/command.ts';
import type { ExecOutcome } from '../../windows/exec.ts';
import type { WindowsHost } from '../../windows/host.ts';
import { withoutClixml } from '../../windows/powershell/captured-document.ts';
import { idempotentCheckOf, idempotentFlags } from '../idempotent.ts';
import type { Invocation, Session } from '../invocation.ts';
import { execPayload, execWords } from './exec-payload.ts';
import { openHost } from './open-host.ts';

/** The flags of everything that runs something on Windows and tells how it ended. */
export const executionFlags = {
  raw: { type: 'boolean', description: 'pass both streams through, byte for byte, instead of a payload' },
  stdin: { type: 'boolean', description: 'forward standard input' },
  timeout: { type: 'string', valueHint: 'D', description: 'deadline of the whole (default: hatchet.job_timeout)' },
  artifacts: { type: 'boolean', description: 'keep the outputs in an artifact folder, as a job does' },
  'propagate-exit': { type: 'boolean', description: 'end with the exit code of what ran' },
  ...idempotentFlags,
} as const;

/** @throws AutomationError `usage`: streams that pass through can't be told apart, nor one input be read by many */
export function refuseRawOnMany(args: {
  readonly raw?: boolean | undefined;
  readonly stdin?: boolean | undefined;
  readonly 'all-hosts'?: boolean | undefined;
}): void {
  const flag = args.raw ? 'raw' : args.stdin ? 'stdin' : undefined;
  if (args['all-hosts'] && flag !== undefined) {
    throw new AutomationError('usage', `--${flag} and --all-hosts do not go together`);
  }
}

export interface ExecutionContext {
  readonly session: Session;
  readonly host: WindowsHost;
  readonly streams: CommandStreams;
  readonly idempotentCheck: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Runs something on the host and prints how it ended.
 *
 * @param work does it
 * @returns the exit code
 */
export async function runExecution(
  invocation: Invocation,
  args: ParsedArgs<typeof executionFlags>,
  work: (context: ExecutionContext) => Promise<ExecOutcome>,
): Promise<number> {
  const idempotentCheck = idempotentCheckOf(args);
  const timeoutFlagMs = args.timeout === undefined ? undefined : durationFlag('timeout', args.timeout);
  const session = await invocation.open();
  using deadline = new Deadline(
    timeoutFlagMs ?? session.loaded.config.hatchet.job_timeout,
    'the command',
    invocation.signal,
  );
  const captured = { stdout: new Capture(), stderr: new Capture() };
  const streams = {
    ...(args.raw ? { stdout: process.stdout, stderr: process.stderr } : captured),
    ...(args.stdin ? { stdin: process.stdin } : {}),
  };
  await using host = openHost(session);
  const outcome = await work({ session, host, streams, idempotentCheck, signal: deadline.signal });
  if (!args.raw) {
    const payload = execPayload(session.host, outcome, captured.stdout.read(), withoutClixml(captured.stderr.read()));
    await invocation.output.payload(execWords(payload), payload);
  }
  if (outcome.status === undefined) session.logger.error(invocation.op, messageOf(outcome.stoppedBy));
  return exitCodeFor(outcome, args['propagate-exit'] ?? false);
}

function exitCodeFor({ state, status, stoppedBy }: ExecOutcome, isPropagated: boolean): number {
  if (status === undefined) return exitCodeOf(stoppedBy);
  if (state === 'skipped' || state === 'completed') return exitCodes.success;
  if (!isPropagated) return exitCodes.failure;
  // As shells do for a command that a signal ended, where the signal's number is known.
  return status.exitCode ?? 128 + (signalNumbers[status.signal ?? ''] ?? 0);
}

const signalNumbers: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ABRT: 6,
  KILL: 9,
  SEGV: 11,
  PIPE: 13,
  TERM: 15,
};
