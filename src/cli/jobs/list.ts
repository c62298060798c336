import { durationFlag } from '../../core/duration.ts';
import { AutomationError } from '../../core/errors.ts';
import { didYouMean } from '../../core/nearest.ts';
import { jobStates } from '../../jobs/engine.ts';
import { jobTypeOf } from '../../jobs/job-types.ts';
import { defineAction } from '../command.ts';
import { wholeNumber } from '../job-input.ts';
import { jobPayload, jobWords } from './payload.ts';
import { withEngine } from './with-engine.ts';

export default defineAction({
  name: 'list',
  description: 'Jobs, the newest first, a line each',
  examples: ['jobs list', 'jobs list --state failed --since 24h --limit 20'],
  args: {
    state: { type: 'string', valueHint: 'STATE', description: jobStates.join(', ') },
    type: { type: 'string', valueHint: 'TYPE', description: 'a job type, such as windows.exec' },
    since: { type: 'string', valueHint: 'D', description: 'enqueued not longer ago than this, such as 24h' },
    limit: { type: 'string', valueHint: 'N', description: 'the most to show (default: 50)' },
  },
  run: (invocation, args) => {
    const state = jobStates.find((one) => one === args.state);
    if (args.state !== undefined && state === undefined) {
      throw new AutomationError('usage', `--state ${args.state}: no such state${didYouMean(args.state, jobStates)}`, {
        hint: `there are ${jobStates.join(', ')}`,
      });
    }
    const type = args.type === undefined ? undefined : jobTypeOf(args.type).name;
    const since = args.since === undefined ? undefined : new Date(Date.now() - durationFlag('since', args.since));
    const limit = wholeNumber('limit', args.limit) ?? 50;
    return withEngine(invocation, async (engine) => {
      const { output } = invocation;
      const records = await engine.list({ state, type, since, limit });
      if (output.isTerminal) {
        await output.table(
          records.map(({ jobId, state: is, type: what, host, attempt, createdAt, error }) => {
            const color = is === 'completed' ? 'green' : is === 'failed' ? 'red' : is === 'running' ? 'yellow' : 'dim';
            return [
              jobId,
              output.paint(color, is),
              what,
              host,
              `${attempt}`,
              createdAt.toISOString(),
              error?.message ?? '',
            ];
          }),
        );
        return 0;
      }
      for (const record of records)
        await output.payload(jobWords(record, engine.name), jobPayload(record, engine.name));
      return 0;
    });
  },
});
