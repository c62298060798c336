import { durationFlag, milliseconds } from '../../core/duration.ts';
import { makeJobId } from '../../core/ids.ts';
import { defineAction } from '../command.ts';
import { jobFlags, jobRequest } from './job-request.ts';
import { enqueuedWords, jobPayload } from './payload.ts';
import { watchJob } from './watching.ts';
import { withEngine } from './with-engine.ts';

export default defineAction({
  name: 'enqueue',
  description: 'Enqueues a job for a worker; what a type takes are its own flags, or --input',
  wordsHint: 'COMMAND…',
  examples: [
    'jobs enqueue --type windows.exec --watch -- hostname',
    'jobs enqueue --type windows.script --file backup.ps1 --param Target=D: --idempotency-key backup-2026-11-24',
    "jobs enqueue --type aloha.run --task 'Open Notepad' --timeout 20m",
    'jobs enqueue --type playwright.run --url https://example.com --screenshot',
    'jobs enqueue --type windows.exec --input @job.json',
  ],
  args: {
    ...jobFlags,
    'idempotency-key': {
      type: 'string',
      valueHint: 'KEY',
      description: 'a second job with the same key is the first one',
    },
    delay: { type: 'string', valueHint: 'D', description: 'local engine: not before this time has passed' },
    watch: { type: 'boolean', description: 'follow it to its end; exit 0, 1 or 4 by its outcome' },
  },
  run: async (invocation, args) => {
    const delayMs = args.delay === undefined ? milliseconds(0) : durationFlag('delay', args.delay);
    const request = await jobRequest(invocation, args);
    return withEngine(invocation, async (engine, session) => {
      const enqueued = await engine.enqueue({
        ...request(session),
        jobId: makeJobId(),
        delayMs,
        idempotencyKey: args['idempotency-key'],
      });
      const { record, isNew, hasWorker } = enqueued;
      if (!hasWorker) {
        session.logger.warn('jobs.enqueue', 'no live worker would take it: start one with win-automation worker');
      }
      const { output, signal } = invocation;
      if (args.watch) return watchJob(engine, record.jobId, output, signal);
      const document = { ...jobPayload(record, engine.name), new: isNew, worker: hasWorker };
      await output.payload(enqueuedWords(enqueued, engine.name), document);
      return 0;
    });
  },
});
