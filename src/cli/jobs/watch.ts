import { defineAction } from '../command.ts';
import { watchJob } from './watching.ts';
import { idFlag, withJob } from './with-engine.ts';

export default defineAction({
  name: 'watch',
  description: 'Follows a job to its end; exit 0, 1 or 4 by its outcome',
  examples: ['jobs watch --id ID'],
  args: idFlag,
  run: (invocation, args) =>
    withJob(invocation, args.id, (engine, jobId) => watchJob(engine, jobId, invocation.output, invocation.signal)),
});
