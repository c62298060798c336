import type { ParsedArgs } from 'citty';
import { ProblemsError } from '../../core/errors.ts';
import type { JobType } from '../../jobs/job-type.ts';
import { directPayload, runDirectJob } from '../direct-job.ts';
import type { Invocation } from '../invocation.ts';
import type { Words } from '../output.ts';
import { type ExecPayload, execWords } from './exec-payload.ts';
import type { executionFlags } from './execution.ts';

/**
 * The same as `runExecution`, as a job of its own: its outputs go to an artifact folder as well.
 *
 * @returns the exit code
 */
export async function runWithArtifacts(
  invocation: Invocation,
  args: ParsedArgs<typeof executionFlags>,
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
  const ended = await runDirectJob(invocation, type, input, args.timeout);
  const payload = directPayload(ended);
  const { job_id, trace_id, artifacts } = payload;
  const words: Words =
    ended.result !== undefined && 'exit_code' in ended.result
      ? { ...execWords(payload as unknown as ExecPayload), job_id, trace_id, artifacts }
      : { state: payload.state, job_id, trace_id, error: ended.error?.message, artifacts };
  await invocation.output.payload(words, payload);
  const exitCode = ended.result?.['exit_code'];
  return args['propagate-exit'] && typeof exitCode === 'number' ? exitCode : ended.exitCode;
}
