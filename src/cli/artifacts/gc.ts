import { artifactsGc } from '../../jobs/types/artifacts-gc.ts';
import { defineAction } from '../command.ts';
import { directPayload, runDirectJob } from '../direct-job.ts';
import { wholeNumber, withoutUndefined } from '../job-input.ts';

export default defineAction({
  name: 'gc',
  description: 'Removes the artifacts of jobs that are past retention, never those of a job that runs',
  examples: ['artifacts gc --dry-run', 'artifacts gc --days 30'],
  args: {
    days: { type: 'string', valueHint: 'N', description: 'days to keep (default: artifacts.retention_days)' },
    'dry-run': { type: 'boolean', description: 'only say what would be removed' },
  },
  run: async (invocation, args) => {
    const input = withoutUndefined({ days: wholeNumber('days', args.days), dry_run: args['dry-run'] });
    const ended = await runDirectJob(invocation, artifactsGc, input, undefined);
    const { jobs, ...payload } = directPayload(ended) as ReturnType<typeof directPayload> & {
      readonly jobs?: string[];
    };
    await invocation.output.payload({ ...payload, jobs: (jobs ?? []).join(',') }, { ...payload, jobs: jobs ?? [] });
    return ended.exitCode;
  },
});
