import { Deadline } from '../core/deadline.ts';
import type { Milliseconds } from '../core/duration.ts';
import { AutomationError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { HostPool } from './host-pool.ts';
import { runJob } from './run-job.ts';
import type { WorkerOptions } from './worker.ts';

/** As much of each output goes into a job's result. */
const captureBytes = 64 * 1024;
/** What an engine carries: a quarter of what Hatchet takes in one message, at four bytes a character. */
const maxResultChars = 1024 * 1024;

/** What a worker was given to do. */
export interface Assignment {
  readonly jobId: string;
  readonly traceId: string;
  readonly type: string;
  readonly host: string;
  readonly input: unknown;
  /** 1 the first time. */
  readonly attempt: number;
  readonly createdAt: Date;
  readonly timeoutMs: Milliseconds;
}

/** How a try ended. */
export interface AttemptEnd {
  readonly state: 'completed' | 'failed' | 'cancelled';
  readonly result: unknown;
  readonly error: { readonly code: string; readonly message: string } | undefined;
  /** Tries it again, after its backoff, if it has tries left. */
  readonly isRetryable: boolean;
}

/** The logger of one job: its lines carry the job's ids. */
export const loggerOf = (jobLogger: Logger, { jobId, traceId }: Assignment): Logger =>
  jobLogger.child('jobs', { job_id: jobId, trace_id: traceId });

/**
 * Runs one try of a job under its own deadline. What goes wrong is how it ended, never thrown.
 *
 * @param stop its reason tells why the job is to end before its time
 */
export async function runAttempt(
  job: Assignment,
  { loaded, types, metrics }: Pick<WorkerOptions, 'loaded' | 'types' | 'metrics'>,
  { hosts, logger, stop }: { readonly hosts: HostPool; readonly logger: Logger; readonly stop: AbortSignal },
): Promise<AttemptEnd> {
  const { jobId, traceId, attempt, host, createdAt, type: typeName, input } = job;
  using deadline = new Deadline(job.timeoutMs, `job ${jobId}`, stop);
  try {
    const type = types.find(({ name }) => name === typeName);
    if (type === undefined) throw new AutomationError('internal', `${typeName} was taken, but is not one of ours`);
    if (typeName === 'playwright.run') metrics.add('playwright_sessions_total');
    if (typeName === 'aloha.run') metrics.add('aloha_runs_total');
    return await runJob({
      type,
      input,
      jobId,
      traceId,
      attempt,
      createdAt,
      host,
      loaded,
      windows: hosts.get(host),
      logger,
      signal: deadline.signal,
      progress: ({ label, done, total }) => logger.info('progress', label, { done, total }),
      captureBytes,
      maxResultChars,
    });
  } catch (error) {
    const code = error instanceof AutomationError ? error.code : 'internal';
    return { state: 'failed', result: undefined, error: { code, message: messageOf(error) }, isRetryable: false };
  }
}

/** Says that a try begins. */
export function tellStart({ type, host, attempt }: Assignment, logger: Logger): void {
  logger.info('run', 'started', { type, host, attempt });
}

/** Says how a try ended: in the log, and in the metrics once the job is over. */
export function tellEnd(
  state: 'queued' | 'completed' | 'failed' | 'cancelled' | 'running' | undefined,
  { error }: AttemptEnd,
  logger: Logger,
  metrics: WorkerOptions['metrics'],
): void {
  logger.info('run', state === 'queued' ? 'to be tried again' : 'ended', {
    state: state ?? 'lost',
    err: error?.message,
  });
  if (state === 'completed' || state === 'failed' || state === 'cancelled') metrics.add(`jobs_${state}_total`);
}
