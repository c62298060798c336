import { sleep } from '../../core/deadline.ts';
import { AutomationError } from '../../core/errors.ts';
import { isOver } from '../../jobs/engine.ts';
import { defineAction } from '../command.ts';
import { idFlag, withJob } from './with-engine.ts';

export default defineAction({
  name: 'logs',
  description: "A job's log lines; with --json each as a document",
  examples: ['jobs logs --id ID', 'jobs logs --id ID --follow'],
  args: { ...idFlag, follow: { type: 'boolean', description: 'go on until the job is over' } },
  run: (invocation, args) =>
    withJob(invocation, args.id, async (engine, jobId) => {
      const { output, signal } = invocation;
      let lastSeq = 0;
      for (;;) {
        const record = await engine.get(jobId);
        if (record === undefined) throw new AutomationError('job_unknown', `there is no job ${jobId}`);
        for (const { seq, line } of await engine.logs(jobId, lastSeq)) {
          lastSeq = seq;
          if (output.isJson) await output.payload({}, { job_id: jobId, seq, line });
          else await output.text(`${line}\n`);
        }
        if (!args.follow || isOver(record.state)) return 0;
        await sleep(engine.lookEveryMs, signal);
      }
    }),
});
