import { JobFolder } from '../artifacts/job-folder.ts';
import type { Manifest } from '../artifacts/manifest.ts';
import { mirrorToWindows } from '../artifacts/windows-copy.ts';
import { isTimeout } from '../core/deadline.ts';
import { AutomationError, type ErrorCode, messageOf } from '../core/errors.ts';
import { exitCodeOf, exitCodes } from '../core/exit-codes.ts';
import type { JobContext, JobOutcome, JobType } from './job-type.ts';

const mirrorTimeoutMs = 120_000;

/** Everything that running one job once takes, but what `runJob` makes itself. */
export interface JobRun extends Omit<JobContext, 'artifacts'> {
  readonly type: JobType;
  readonly input: unknown;
  readonly createdAt: Date;
  /** A result that is longer as JSON goes to the artifacts; undefined if any may be returned. */
  readonly maxResultChars?: number;
}

export interface JobEnded {
  readonly state: 'completed' | 'failed' | 'cancelled';
  readonly result: JobOutcome['result'] | undefined;
  readonly error: { readonly code: ErrorCode; readonly message: string } | undefined;
  /** Whether the same job may succeed a moment later. */
  readonly isRetryable: boolean;
  /** What a direct command ends with. */
  readonly exitCode: number;
  readonly manifest: Manifest;
  readonly dir: string;
}

/**
 * Runs one job once and leaves its artifact folder with a manifest, whatever becomes of it. The one way to run a job: the
 * engines and the direct commands come through here.
 *
 * @throws AutomationError `io_failed` where the folder can't be written
 */
export async function runJob(run: JobRun): Promise<JobEnded> {
  const { type, input, jobId, traceId, host, attempt, createdAt, loaded, signal } = run;
  const facts = { jobId, traceId, type: type.name, host, attempt, createdAt, input };
  const artifacts = await JobFolder.create(loaded.config.artifacts.out_dir, facts, loaded.redact);
  const ended = await outcomeOf(run, artifacts).then(judge, (thrown: unknown) => judgeThrown(thrown, signal));
  const { state, error } = ended;
  const result = await smallResult(ended.result, artifacts, run.maxResultChars);
  const manifest = await artifacts.finish({ state, result, error: error ?? null });
  if (loaded.config.artifacts.mirror_to_windows && type.needsHost) await mirror(run, artifacts.dir);
  return { ...ended, result, manifest, dir: artifacts.dir };
}

/** What an engine is not to carry goes to the artifacts, and the result says where. */
async function smallResult(
  result: JobEnded['result'],
  artifacts: JobFolder,
  maxChars = Number.POSITIVE_INFINITY,
): Promise<JobEnded['result']> {
  if (result === undefined) return undefined;
  const json = JSON.stringify(result);
  if (json.length <= maxChars) return result;
  await artifacts.text('result', 'result.json', json);
  return { state: result.state, result_artifact: 'result.json', result_chars: json.length };
}

/** Leaves a copy on Windows. The job is no failure because that could not be done. */
async function mirror({ windows, logger }: JobRun, dir: string): Promise<void> {
  try {
    await mirrorToWindows(windows, dir, AbortSignal.timeout(mirrorTimeoutMs));
  } catch (error) {
    logger.warn('mirror', 'the artifacts are not on Windows', { err: messageOf(error) });
  }
}

type Judged = Omit<JobEnded, 'manifest' | 'dir'>;

async function outcomeOf({ type, input, ...rest }: JobRun, artifacts: JobFolder): Promise<JobOutcome> {
  rest.signal.throwIfAborted();
  return type.run(input, { ...rest, artifacts });
}

function judge({ isSuccess, result, error, stoppedBy }: JobOutcome): Judged {
  if (isSuccess) {
    return { state: 'completed', result, error: undefined, isRetryable: false, exitCode: exitCodes.success };
  }
  if (stoppedBy !== undefined) return { ...judgeStop(stoppedBy), result };
  return { state: 'failed', result, error, isRetryable: false, exitCode: exitCodes.failure };
}

function judgeThrown(thrown: unknown, signal: AbortSignal): Judged {
  if (signal.aborted) return { ...judgeStop(signal.reason), result: undefined };
  const isOurs = thrown instanceof AutomationError;
  // Blocked, for a reason that scripts can read, is an answer.
  const isBlocked = isOurs && thrown.code === 'gui_blocked';
  return {
    state: 'failed',
    result: isBlocked ? { state: 'blocked', reason: thrown.fields['reason'], message: thrown.message } : undefined,
    error: { code: isOurs ? thrown.code : 'internal', message: messageOf(thrown) },
    isRetryable: isOurs && (thrown.isTransient || isTimeout(thrown)),
    exitCode: exitCodeOf(thrown),
  };
}

function judgeStop(reason: unknown): Omit<Judged, 'result'> {
  const code = reason instanceof AutomationError ? reason.code : 'internal';
  const error = { code, message: messageOf(reason) };
  // A job whose time is over failed; one that somebody ended was cancelled.
  return {
    state: isTimeout(reason) ? 'failed' : 'cancelled',
    error,
    // The work was begun, and may be half done.
    isRetryable: false,
    exitCode: exitCodeOf(reason),
  };
}
