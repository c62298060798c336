import { exitCodes } from '../../core/exit-codes.ts';
import { defineAction } from '../command.ts';
import { withEngine } from './with-engine.ts';

export default defineAction({
  name: 'unschedule',
  description: 'Removes a schedule; jobs that it enqueued already stay',
  examples: ['jobs unschedule --id ID'],
  args: { id: { type: 'string', valueHint: 'ID', description: 'the schedule', required: true } },
  run: (invocation, args) =>
    withEngine(invocation, async (engine) => {
      const record = await engine.unschedule(args.id);
      const state = record === undefined ? 'not_found' : 'removed';
      const document = { schedule_id: args.id, state, engine: engine.name };
      await invocation.output.payload(document, document);
      return record === undefined ? exitCodes.failure : exitCodes.success;
    }),
});
