import { appendFileSync } from 'node:fs';
import process from 'node:process';
import { durationFlag, milliseconds } from '../core/duration.ts';
import { messageOf, ProblemsError } from '../core/errors.ts';
import { createLogger, type Logger } from '../core/logger.ts';
import { Metrics, metricLines, prometheusText } from '../core/metrics.ts';
import { jobTypeOf, jobTypes } from '../jobs/job-types.ts';
import { openEngine } from '../jobs/open-engine.ts';
import { defaultLeaseMs, type JobWorker } from '../jobs/worker.ts';
import { defineAction } from './command.ts';
import { type HealthSource, serveHealth } from './health-http.ts';
import type { Invocation, Session } from './invocation.ts';
import { wholeNumber } from './job-input.ts';
import { sdNotify } from './sd-notify.ts';

export default defineAction({
  name: 'worker',
  description: 'Runs jobs until SIGTERM: then takes no more, finishes what runs, and hands back the rest',
  examples: [
    'worker',
    'worker --metrics --metrics-interval 30s',
    'worker --types windows.exec,windows.script --listen 127.0.0.1:9464',
  ],
  args: {
    metrics: { type: 'boolean', description: 'print metrics, or append them to WIN_AUTOMATION_METRICS_PATH' },
    'metrics-interval': { type: 'string', valueHint: 'D', description: 'how often (default: 30s)' },
    concurrency: {
      type: 'string',
      valueHint: 'N',
      description: 'jobs at a time (default: hatchet.worker_concurrency)',
    },
    types: { type: 'string', valueHint: 'A,B', description: 'only these job types (default: all)' },
    listen: { type: 'string', valueHint: 'ADDRESS:PORT', description: 'serve /live, /ready and /metrics there' },
    lease: {
      type: 'string',
      valueHint: 'D',
      description: 'local engine: a job is taken from a worker that is silent this long (default: 15s)',
    },
    grace: {
      type: 'string',
      valueHint: 'D',
      description: 'how long running jobs may go on after SIGTERM (default: 30s)',
    },
  },
  run: async (invocation, args) => {
    const intervalMs = durationFlag('metrics-interval', args['metrics-interval'] ?? '30s', 10);
    const leaseMs = args.lease === undefined ? defaultLeaseMs : durationFlag('lease', args.lease, 300);
    const graceMs = args.grace === undefined ? milliseconds(30_000) : durationFlag('grace', args.grace, 0);
    const concurrency = wholeNumber('concurrency', args.concurrency);
    if (concurrency !== undefined && (concurrency < 1 || concurrency > 100)) {
      throw new ProblemsError('usage', [`--concurrency ${args.concurrency}: from 1 to 100`]);
    }
    const types = args.types === undefined ? jobTypes : args.types.split(',').map(jobTypeOf);
    // Hatchet's SDK listens for signals anew with each registration; the runtime's warning would be no log line.
    process.setMaxListeners(0);
    const session = await invocation.open();
    const { loaded, logger } = session;
    await using engine = await openEngine(loaded, logger, invocation.signal);
    const metrics = new Metrics();
    const worker: JobWorker = engine.worker({
      loaded,
      types,
      concurrency: concurrency ?? loaded.config.hatchet.worker_concurrency,
      leaseMs,
      graceMs,
      metrics,
      logger: logger.child('worker'),
      jobLogger: (write) => jobLogger(invocation, session, write),
      onAlive: () => sdNotify('WATCHDOG=1', `STATUS=${worker.runningJobs} jobs run`),
      signal: invocation.signal,
    });
    const emit = args.metrics ? emitMetrics(invocation, logger.child('worker'), worker, metrics) : () => undefined;
    const timer = setInterval(emit, intervalMs);
    try {
      await using _http =
        args.listen === undefined ? undefined : await serveHealth(args.listen, healthOf(worker, metrics));
      sdNotify('READY=1', 'STATUS=waiting for jobs');
      const names = types.map(({ name }) => name).join(',');
      logger.info('worker', 'takes jobs', { worker_id: worker.id, engine: engine.name, types: names });
      await worker.run();
    } catch (error) {
      if (!invocation.signal.aborted) throw error;
    } finally {
      clearInterval(timer);
      emit();
      sdNotify('STOPPING=1');
    }
    logger.info('worker', 'ended');
    return 0;
  },
});

const healthOf = (worker: JobWorker, metrics: Metrics): HealthSource => ({
  isReady: () => worker.isReady,
  metrics: () => {
    worker.countEnqueued();
    const running = `# TYPE win_automation_jobs_running gauge\nwin_automation_jobs_running ${worker.runningJobs}\n`;
    return prometheusText(metrics) + running;
  },
});

/** Writes to the log and to the job's own. */
function jobLogger({ flags }: Invocation, { loaded }: Session, write: (line: string) => void) {
  return createLogger({
    level: flags.quiet ? 'error' : flags.verbose ? 'debug' : loaded.config.log_level,
    redact: loaded.redact,
    component: 'jobs',
    write: (line) => {
      process.stderr.write(line);
      write(line);
    },
  });
}

/** The file is opened each time, so that it may be rotated away. What can't be written is said; jobs go on. */
function emitMetrics({ env, output }: Invocation, logger: Logger, worker: JobWorker, metrics: Metrics): () => void {
  const path = env['WIN_AUTOMATION_METRICS_PATH'] || undefined;
  const onError = (error: unknown) => logger.error('metrics', messageOf(error), { path });
  return () => {
    try {
      worker.countEnqueued();
      const lines = metricLines(metrics, new Date());
      if (path === undefined) output.text(lines).catch(onError);
      else appendFileSync(path, lines, { mode: 0o600 });
    } catch (error) {
      onError(error);
    }
  };
}
