import { Deadline } from '../core/deadline.ts';
import { durationFlag } from '../core/duration.ts';
import { makeJobId, makeTraceId } from '../core/ids.ts';
import type { JobType } from '../jobs/job-type.ts';
import { type JobEnded, runJob } from '../jobs/run-job.ts';
import type { Invocation, Session } from './invocation.ts';
import { parseInput } from './job-input.ts';
import { ProgressBar } from './progress.ts';
import { openHost } from './windows/open-host.ts';

/** As much of each output is kept in the payload of a direct command. */
const captureBytes = 8 * 1024 * 1024;

/** The flags of every command that runs a job by itself. */
export const directFlags = {
  timeout: { type: 'string', valueHint: 'D', description: 'deadline of the whole (default: hatchet.job_timeout)' },
} as const;

export interface DirectJob extends JobEnded {
  readonly jobId: string;
  readonly traceId: string;
  readonly session: Session;
}

/**
 * Runs a job here and now, without an engine: the same code, the same artifacts, a job id made up for it.
 *
 * @param input what the job type takes, not yet checked
 * @param secretEnv environment variables of the run that must be in no manifest
 */
export async function runDirectJob(
  invocation: Invocation,
  type: JobType,
  input: unknown,
  timeout: string | undefined,
  secretEnv?: Readonly<Record<string, string>>,
): Promise<DirectJob> {
  const timeoutFlagMs = timeout === undefined ? undefined : durationFlag('timeout', timeout, 1_000);
  const parsed = parseInput(type, input);
  const session = await invocation.open();
  const [jobId, traceId] = [makeJobId(), makeTraceId()];
  const logger = session.logger.child('jobs', { job_id: jobId, trace_id: traceId });
  const timeoutMs = timeoutFlagMs ?? session.loaded.config.hatchet.job_timeout;
  using deadline = new Deadline(timeoutMs, `the ${type.name} job`, invocation.signal);
  using bar = new ProgressBar(invocation.flags.quiet ?? false);
  await using windows = openHost(session, true);
  const ended = await runJob({
    type,
    input: parsed,
    jobId,
    traceId,
    attempt: 1,
    createdAt: new Date(),
    host: session.host,
    loaded: session.loaded,
    windows,
    logger,
    signal: deadline.signal,
    progress: ({ label, done, total }) => bar.update(label, done, total),
    captureBytes,
    secretEnv,
  });
  if (ended.error !== undefined) logger.error(invocation.op, ended.error.message, { code: ended.error.code });
  return { ...ended, jobId, traceId, session };
}

/** What every direct job's payload begins with. */
export function directPayload({ jobId, traceId, session, state, result, error, dir }: DirectJob) {
  const { state: resultState, ...rest } = result ?? { state: undefined };
  return {
    state: resultState ?? (error?.code === 'timeout' ? 'timeout' : state),
    job_id: jobId,
    trace_id: traceId,
    host: session.host,
    ...rest,
    ...(error === undefined ? {} : { error: error.message }),
    artifacts: dir,
  };
}
