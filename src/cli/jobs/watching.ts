import { sleep } from '../../core/deadline.ts';
import { AutomationError } from '../../core/errors.ts';
import { exitCodes } from '../../core/exit-codes.ts';
import { isOver, type JobEngine, type JobRecord } from '../../jobs/engine.ts';
import type { Output } from '../output.ts';
import { jobPayload, jobWords } from './payload.ts';

/**
 * Prints a job each time its state or attempt changes, until it is over.
 *
 * @returns 0 if it completed, 4 if its time was over, else 1
 * @throws AutomationError `job_unknown`, or the signal's reason
 */
export async function watchJob(engine: JobEngine, jobId: string, output: Output, signal: AbortSignal): Promise<number> {
  let last = '';
  for (;;) {
    const record = await engine.get(jobId);
    if (record === undefined) throw new AutomationError('job_unknown', `there is no job ${jobId}`);
    const now = `${record.state} ${record.attempt}`;
    if (now !== last) {
      last = now;
      await output.payload(jobWords(record, engine.name), jobPayload(record, engine.name));
    }
    if (isOver(record.state)) return outcomeExitCode(record);
    await sleep(engine.lookEveryMs, signal);
  }
}

/** What watching a job that is over ends with. */
function outcomeExitCode({ state, error }: JobRecord): number {
  if (state === 'completed') return exitCodes.success;
  return error?.code === 'timeout' ? exitCodes.timeout : exitCodes.failure;
}
