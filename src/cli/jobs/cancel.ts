import { AutomationError } from '../../core/errors.ts';
import { exitCodes } from '../../core/exit-codes.ts';
import { defineAction } from '../command.ts';
import { jobPayload, jobWords } from './payload.ts';
import { idFlag, withJob } from './with-engine.ts';

export default defineAction({
  name: 'cancel',
  description: 'Cancels a job; one that runs is stopped, and what it started on Windows with it',
  examples: ['jobs cancel --id ID'],
  args: idFlag,
  run: (invocation, args) =>
    withJob(invocation, args.id, async (engine, jobId) => {
      const { output } = invocation;
      try {
        const record = await engine.cancel(jobId);
        const words = { ...jobWords(record, engine.name), cancel_requested: true };
        await output.payload(words, jobPayload(record, engine.name));
        return exitCodes.success;
      } catch (error) {
        if (!(error instanceof AutomationError && error.code === 'job_state')) throw error;
        const record = await engine.get(jobId);
        if (record === undefined) throw error;
        await output.payload(jobWords(record, engine.name), jobPayload(record, engine.name));
        return exitCodes.failure;
      }
    }),
});
