import { requireJobId } from '../../artifacts/job-id.ts';
import { AutomationError } from '../../core/errors.ts';
import { exitCodes } from '../../core/exit-codes.ts';
import type { JobEngine } from '../../jobs/engine.ts';
import { openEngine } from '../../jobs/open-engine.ts';
import type { Invocation, Session } from '../invocation.ts';
import { notFound } from './payload.ts';

/** The flag of every command about one job. */
export const idFlag = { id: { type: 'string', valueHint: 'ID', description: 'the job', required: true } } as const;

/** Opens the engine that the configuration asks for, and closes it behind the work. */
export async function withEngine<T>(
  invocation: Invocation,
  work: (engine: JobEngine, session: Session) => Promise<T>,
): Promise<T> {
  const session = await invocation.open();
  await using engine = await openEngine(session.loaded, session.logger, invocation.signal);
  return await work(engine, session);
}

/**
 * The same for one job: a bad id is refused before anything is opened, and one that nobody knows is told as
 * `state=not_found`, exit 1.
 */
export function withJob(
  invocation: Invocation,
  id: string,
  work: (engine: JobEngine, jobId: string, session: Session) => Promise<number>,
): Promise<number> {
  const jobId = requireJobId(id);
  return withEngine(invocation, async (engine, session) => {
    try {
      return await work(engine, jobId, session);
    } catch (error) {
      if (!(error instanceof AutomationError && error.code === 'job_unknown')) throw error;
      const payload = notFound(jobId, engine.name);
      await invocation.output.payload({ job_id: jobId, state: payload.state, engine: engine.name }, payload);
      return exitCodes.failure;
    }
  });
}
