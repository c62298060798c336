import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config/load.ts';
import { milliseconds } from '../../src/core/duration.ts';
import { createLogger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/core/metrics.ts';
import { LocalEngine } from '../../src/jobs/engines/local/engine.ts';
import { jobRequest } from '../support/job-request.ts';
import { median } from './median.ts';
import { noop } from './noop.ts';

export interface JobBench {
  readonly jobsPerSecond: number;
  /** Memory after the first tenth of the jobs, and at the end. */
  readonly rssBytes: readonly [number, number];
  /** From enqueue to start with an idle worker, the median of 50. */
  readonly startDelayMs: number;
}

/** Runs no-op jobs through enqueue, claim, artifact folder and end, one process enqueues, another works. */
export async function benchJobs(dir: string, count: number): Promise<JobBench> {
  mkdirSync(dir, { recursive: true });
  const env = {
    HOME: dir,
    WIN_AUTOMATION_STATE_DIR: join(dir, 'state'),
    WIN_AUTOMATION_ARTIFACT_OUT: join(dir, 'artifacts'),
  };
  const loaded = await loadConfig({ env });
  await using engine = new LocalEngine(join(dir, 'state/jobs.sqlite'));
  // A connection of its own, as a worker has: it does not see its own writes as news.
  await using workerEngine = new LocalEngine(join(dir, 'state/jobs.sqlite'));
  const stop = new AbortController();
  const logger = createLogger({ level: 'error', redact: (text) => text, write: () => undefined, component: 'bench' });
  const metrics = new Metrics();
  const worker = workerEngine.worker({
    loaded,
    types: [noop],
    concurrency: 10,
    leaseMs: milliseconds(15_000),
    graceMs: milliseconds(1_000),
    metrics,
    logger,
    jobLogger: () => logger,
    signal: stop.signal,
  });
  const running = worker.run().catch(() => undefined);
  const delays: number[] = [];
  for (let i = 0; i < 50; i += 1) {
    await engine.enqueue(jobRequest(`delay-${i}`, { type: 'noop' }));
    while ((await engine.get(`delay-${i}`))?.state !== 'completed')
      await new Promise((resolve) => setTimeout(resolve, 2));
    const record = await engine.get(`delay-${i}`);
    delays.push((record?.startedAt?.getTime() ?? 0) - (record?.createdAt.getTime() ?? 0));
  }
  let early = 0;
  const startedMs = performance.now();
  const script = fileURLToPath(new URL('enqueue.ts', import.meta.url));
  spawn(process.execPath, [script, join(dir, 'state/jobs.sqlite'), `${count}`], { stdio: 'inherit' });
  while (metrics.get('jobs_completed_total') < count + delays.length) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (early === 0 && metrics.get('jobs_completed_total') > count / 10) early = process.memoryUsage.rss();
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const late = process.memoryUsage.rss();
  stop.abort();
  await running;
  return { jobsPerSecond: count / seconds, rssBytes: [early, late], startDelayMs: median(delays) };
}
