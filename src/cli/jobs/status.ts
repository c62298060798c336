import { AutomationError } from '../../core/errors.ts';
import { defineAction } from '../command.ts';
import { jobPayload, jobWords } from './payload.ts';
import { watchJob } from './watching.ts';
import { idFlag, withJob } from './with-engine.ts';

export default defineAction({
  name: 'status',
  description: 'What has become of a job',
  examples: ['jobs status --id ID', 'jobs status --id ID --watch'],
  args: { ...idFlag, watch: { type: 'boolean', description: 'wait until it is over; exit 0, 1 or 4 by its outcome' } },
  run: (invocation, args) =>
    withJob(invocation, args.id, async (engine, jobId) => {
      const { output, signal } = invocation;
      if (args.watch) return watchJob(engine, jobId, output, signal);
      const record = await engine.get(jobId);
      if (record === undefined) throw new AutomationError('job_unknown', `there is no job ${jobId}`);
      await output.payload(jobWords(record, engine.name), jobPayload(record, engine.name));
      return 0;
    }),
});
