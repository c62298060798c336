import { durationFlag, milliseconds } from '../../core/duration.ts';
import { makeJobId, makeTraceId } from '../../core/ids.ts';
import { jobTypeOf, jobTypes } from '../../jobs/job-types.ts';
import { alohaFlags } from '../aloha/run.ts';
import { defineAction } from '../command.ts';
import { parseInput, wholeNumber } from '../job-input.ts';
import { playwrightFlags } from '../playwright/run.ts';
import { inputOf } from './enqueue-input.ts';
import { enqueuedWords, jobPayload } from './payload.ts';
import { watchJob } from './watching.ts';
import { withEngine } from './with-engine.ts';

const { detach: _, ...alohaJobFlags } = alohaFlags;

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
    type: {
      type: 'string',
      valueHint: 'TYPE',
      description: jobTypes.map(({ name, description }) => `${name}: ${description}`).join('; '),
      required: true,
    },
    input: { type: 'string', valueHint: 'JSON|@FILE', description: 'the whole input as JSON' },
    timeout: {
      type: 'string',
      valueHint: 'D',
      description: 'the longest one try may take (default: hatchet.job_timeout)',
    },
    'idempotency-key': {
      type: 'string',
      valueHint: 'KEY',
      description: 'a second job with the same key is the first one',
    },
    priority: { type: 'string', valueHint: 'N', description: 'higher goes first, 0 to 100 (default: 0)' },
    delay: { type: 'string', valueHint: 'D', description: 'not before this time has passed' },
    watch: { type: 'boolean', description: 'follow it to its end; exit 0, 1 or 4 by its outcome' },
    shell: { type: 'string', valueHint: 'SHELL', description: 'windows.exec: auto, cmd, powershell or pwsh' },
    file: { type: 'string', valueHint: 'FILE', description: 'windows.script: the .ps1 file' },
    flow: { type: 'string', valueHint: 'FILE', description: 'playwright.run: a flow file of the machine that runs it' },
    days: { type: 'string', valueHint: 'N', description: 'artifacts.gc: days to keep' },
    'dry-run': { type: 'boolean', description: 'artifacts.gc: only say what would be removed' },
    'idempotent-check': {
      type: 'string',
      valueHint: 'PS',
      description: 'PowerShell that exits 0 if there is nothing to do',
    },
    ...alohaJobFlags,
    ...playwrightFlags,
  },
  run: async (invocation, args) => {
    const type = jobTypeOf(args.type);
    const timeoutFlagMs = args.timeout === undefined ? undefined : durationFlag('timeout', args.timeout, 1_000);
    const delayMs = args.delay === undefined ? milliseconds(0) : durationFlag('delay', args.delay);
    const priority = wholeNumber('priority', args.priority) ?? 0;
    const input = parseInput(type, await inputOf(type.name, args, invocation.args, invocation.words));
    return withEngine(invocation, async (engine, { loaded, host, logger }) => {
      const { job_timeout, retry_max, retry_backoff } = loaded.config.hatchet;
      const enqueued = await engine.enqueue({
        jobId: makeJobId(),
        traceId: makeTraceId(),
        type: type.name,
        isGui: type.isGui,
        host,
        input,
        timeoutMs: timeoutFlagMs ?? job_timeout,
        maxAttempts: retry_max + 1,
        backoffMs: retry_backoff,
        priority,
        delayMs,
        idempotencyKey: args['idempotency-key'],
      });
      const { record, isNew, hasWorker } = enqueued;
      if (!hasWorker) logger.warn('jobs.enqueue', 'no live worker would take it: start one with win-automation worker');
      const { output, signal } = invocation;
      if (args.watch) return watchJob(engine, record.jobId, output, signal);
      const document = { ...jobPayload(record, engine.name), new: isNew, worker: hasWorker };
      await output.payload(enqueuedWords(enqueued, engine.name), document);
      return 0;
    });
  },
});
