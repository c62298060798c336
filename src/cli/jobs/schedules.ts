import { defineAction } from '../command.ts';
import { schedulePayload, scheduleWords } from './schedule-payload.ts';
import { withEngine } from './with-engine.ts';

export default defineAction({
  name: 'schedules',
  description: 'What is to be enqueued later, a line each',
  examples: ['jobs schedules', 'jobs schedules --json'],
  run: (invocation) =>
    withEngine(invocation, async (engine) => {
      for (const record of await engine.schedules()) {
        await invocation.output.payload(scheduleWords(record, engine.name), schedulePayload(record, engine.name));
      }
      return 0;
    }),
});
