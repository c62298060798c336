import process from 'node:process';
import type { Writable } from 'node:stream';
import type { ParsedArgs } from 'citty';
import { Deadline } from '../../core/deadline.ts';
import { durationFlag } from '../../core/duration.ts';
import { AutomationError, messageOf } from '../../core/errors.ts';
import { exitCodeOf, exitCodes } from '../../core/exit-codes.ts';
import { Capture } from '../../windows/capture.ts';
import type { CommandStreams } from '../../windows/command.ts';
import type { ExecOutcome } from '../../windows/exec.ts';
import type { WindowsHost } from '../../windows/host.ts';
import { ObjectRecords, RecordCollector } from '../../windows/object-records.ts';
import { idempotentCheckOf, idempotentFlags } from '../idempotent.ts';
import type { Invocation, Session } from '../invocation.ts';
import { endRecord, execPayload, execWords, writeRecord } from './exec-payload.ts';
import { openHost } from './open-host.ts';
import { type RunSettings, runFlags, secretRunFlags } from './run-flags.ts';

/** The flags of everything that runs something on Windows and tells how it ended. */
export const executionFlags = {
  raw: { type: 'boolean', description: 'pass both streams through, byte for byte, instead of a payload' },
  stdin: { type: 'boolean', description: 'forward standard input' },
  timeout: { type: 'string', valueHint: 'D', description: 'deadline of the whole (default: hatchet.job_timeout)' },
  artifacts: { type: 'boolean', description: 'keep the outputs in an artifact folder, as a job does' },
  'propagate-exit': { type: 'boolean', description: 'end with the exit code of what ran' },
  ...runFlags,
  ...secretRunFlags,
  ...idempotentFlags,
} as const;

export type ExecutionArgs = ParsedArgs<typeof executionFlags> & { readonly 'all-hosts'?: boolean | undefined };

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

/** Where a run's output goes, and how it is told in the end. */
interface Sinks {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Prints what there is to print once it has ended. */
  tell(host: WindowsHost, outcome: ExecOutcome): Promise<void>;
}

/**
 * Runs something on the host and prints how it ended.
 *
 * @param work does it
 * @returns the exit code
 */
export async function runExecution(
  invocation: Invocation,
  args: ExecutionArgs,
  settings: RunSettings,
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
  const { tell, ...sinks } = sinksOf(invocation, args, settings, session.host);
  const streams = { ...sinks, ...(args.stdin ? { stdin: process.stdin } : {}) };
  await using host = openHost(session);
  const outcome = await work({ session, host, streams, idempotentCheck, signal: deadline.signal });
  await tell(host, outcome);
  if (outcome.status === undefined) session.logger.error(invocation.op, messageOf(outcome.stoppedBy));
  return exitCodeFor(outcome, args['propagate-exit'] ?? false);
}

function sinksOf(invocation: Invocation, args: ExecutionArgs, settings: RunSettings, hostName: string): Sinks {
  if (args.raw) return { stdout: process.stdout, stderr: process.stderr, tell: async () => undefined };
  if (settings.objectDepth !== undefined)
    return objectSinks(invocation, settings.objectMark, args['all-hosts'] ? hostName : undefined, hostName);
  const [stdout, stderr] = [new Capture(), new Capture()];
  const tell = async (host: WindowsHost, outcome: ExecOutcome) => {
    const texts = [
      await host.readText(stdout, outcome.isPowershell),
      await host.readText(stderr, outcome.isPowershell),
    ] as const;
    const payload = execPayload(hostName, outcome, ...texts);
    await invocation.output.payload(execWords(payload), payload);
  };
  return { stdout, stderr, tell };
}

/** Records as lines while they come, or with --json in the payload. @param shownHost goes into each line, if there are many */
function objectSinks({ output }: Invocation, mark: string, shownHost: string | undefined, hostName: string): Sinks {
  const collected = new RecordCollector();
  const take = output.isJson
    ? async (record: Parameters<RecordCollector['add']>[0]) => collected.add(record)
    : (record: object) => writeRecord(output, record, shownHost);
  const [stdout, stderr] = [new ObjectRecords('output', mark, take), new ObjectRecords('error', mark, take)];
  const tell = async (_host: WindowsHost, outcome: ExecOutcome) => {
    await Promise.all([ended(stdout), ended(stderr)]);
    if (!output.isJson) return writeRecord(output, endRecord(outcome), shownHost);
    const nothing = new Capture().read();
    const payload = execPayload(hostName, outcome, nothing, nothing);
    const document = { ...payload, objects: collected.records, truncated: collected.isTruncated };
    return output.payload(execWords(payload), document);
  };
  return { stdout, stderr, tell };
}

const ended = (stream: Writable) =>
  new Promise<void>((resolve, reject) => {
    stream.once('error', reject);
    stream.end(() => resolve());
  });

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
