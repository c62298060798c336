import { makeJobId, makeTraceId } from '../../core/ids.ts';
import { defineAction } from '../command.ts';
import { enqueuedWords, jobPayload } from './payload.ts';
import { idFlag, withJob } from './with-engine.ts';

export default defineAction({
  name: 'replay',
  description: 'Enqueues the same job once more, under a new id',
  examples: ['jobs replay --id ID'],
  args: idFlag,
  run: (invocation, args) =>
    withJob(invocation, args.id, async (engine, jobId) => {
      const enqueued = await engine.replay(jobId, makeJobId(), makeTraceId());
      const words = { ...enqueuedWords(enqueued, engine.name), replay_of: jobId };
      await invocation.output.payload(words, jobPayload(enqueued.record, engine.name));
      return 0;
    }),
});
