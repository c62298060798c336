import { ProblemsError } from '../../core/errors.ts';
import type { JobType } from '../../jobs/job-type.ts';
import { type DirectJob, directPayload, runDirectJob } from '../direct-job.ts';
import type { Invocation } from '../invocation.ts';
import type { Output, Words } from '../output.ts';
import { type ExecPayload, execWords, writeRecord } from './exec-payload.ts';
import type { ExecutionArgs } from './execution.ts';
import type { RunSettings } from './run-flags.ts';

/**
 * The same as `runExecution`, as a job of its own: its outputs go to an artifact folder as well.
 *
 * @returns the exit code
 */
export async function runWithArtifacts(
  invocation: Invocation,
  args: ExecutionArgs,
  settings: RunSettings,
  type: JobType,
  input: unknown,
): Promise<number> {
  const clashes = (['raw', 'stdin'] as const).filter((flag) => args[flag]);
  if (clashes.length > 0) {
    throw new ProblemsError(
      'usage',
      clashes.map((flag) => `--${flag} and --artifacts do not go together`),
    );
  }
  const ended = await runDirectJob(invocation, type, input, args.timeout, settings.secretEnv);
  const payload = directPayload(ended);
  const { job_id, trace_id, artifacts } = payload;
  if (settings.objectDepth !== undefined && !invocation.output.isJson && ended.result !== undefined) {
    await writeObjects(invocation.output, args['all-hosts'] ? ended.session.host : undefined, payload);
    return exitCodeFor(args, ended);
  }
  const words: Words =
    ended.result !== undefined && 'exit_code' in ended.result
      ? { ...execWords(payload as unknown as ExecPayload), job_id, trace_id, artifacts }
      : { state: payload.state, job_id, trace_id, error: ended.error?.message, artifacts };
  await invocation.output.payload(words, payload);
  return exitCodeFor(args, ended);
}

function exitCodeFor(args: ExecutionArgs, ended: DirectJob): number {
  const exitCode = ended.result?.['exit_code'];
  return args['propagate-exit'] && typeof exitCode === 'number' ? exitCode : ended.exitCode;
}

/** The records of a run's objects as lines, and the last one with where the artifacts are. */
async function writeObjects(output: Output, host: string | undefined, payload: Payload): Promise<void> {
  const { objects, state, exit_code, duration_ms, job_id, trace_id, artifacts } = payload as Payload &
    Partial<ExecPayload>;
  for (const record of objects ?? []) await writeRecord(output, record, host);
  await writeRecord(output, { stream: 'end', state, exit_code, duration_ms, job_id, trace_id, artifacts }, host);
}

type Payload = ReturnType<typeof directPayload>;
