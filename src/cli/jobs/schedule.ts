import { Cron } from 'croner';
import { AutomationError, messageOf } from '../../core/errors.ts';
import type { ScheduleTime } from '../../jobs/engine.ts';
import { defineAction } from '../command.ts';
import { jobFlags, jobRequest } from './job-request.ts';
import { schedulePayload, scheduleWords } from './schedule-payload.ts';
import { withEngine } from './with-engine.ts';

export default defineAction({
  name: 'schedule',
  description: 'Lets Hatchet enqueue a job later, once or again and again',
  wordsHint: 'COMMAND…',
  examples: [
    "jobs schedule --name nightly --cron '0 3 * * *' --type artifacts.gc",
    'jobs schedule --at 2026-12-24T18:00:00Z --type windows.exec -- shutdown /s /t 0',
  ],
  args: {
    name: { type: 'string', valueHint: 'NAME', description: 'what the schedule is called (default: the job type)' },
    cron: { type: 'string', valueHint: 'EXPRESSION', description: 'minute hour day month weekday, in UTC' },
    at: { type: 'string', valueHint: 'TIME', description: 'a time such as 2026-12-24T18:00:00Z' },
    ...jobFlags,
  },
  run: async (invocation, args) => {
    const time = scheduleTime(args.cron, args.at, new Date());
    const request = await jobRequest(invocation, args);
    return withEngine(invocation, async (engine, session) => {
      const record = await engine.schedule({ ...request(session), name: args.name ?? args.type, time });
      await invocation.output.payload(scheduleWords(record, engine.name), schedulePayload(record, engine.name));
      return 0;
    });
  },
});

/** Hatchet takes any text for a cron expression, and then never runs it: it is checked here. */
function scheduleTime(cron: string | undefined, at: string | undefined, now: Date): ScheduleTime {
  if ((cron === undefined) === (at === undefined)) throw new AutomationError('usage', 'give one of --cron and --at');
  if (cron !== undefined) {
    try {
      new Cron(cron, { paused: true, mode: '5-part', timezone: 'UTC' });
      return { cron };
    } catch (error) {
      throw new AutomationError('usage', `--cron '${cron}': ${messageOf(error)}`, {
        hint: "five fields: minute hour day month weekday, such as '30 3 * * 1-5'",
      });
    }
  }
  const date = new Date(at ?? '');
  const hint = 'a time such as 2026-12-24T18:00:00Z, in the future';
  if (Number.isNaN(date.getTime()) || !/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(at ?? '')) {
    throw new AutomationError('usage', `--at ${at}: not a time with its zone`, { hint });
  }
  if (date <= now) throw new AutomationError('usage', `--at ${at}: that is over`, { hint });
  return { at: date };
}
