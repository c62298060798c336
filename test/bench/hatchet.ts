import type { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/client/client.js';
import { loadConfig } from '../../src/config/load.ts';
import { milliseconds } from '../../src/core/duration.ts';
import { createLogger, type Logger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/core/metrics.ts';
import { makeHatchetClient } from '../../src/hatchet/client.ts';
import { makeEnvelope } from '../../src/jobs/engines/hatchet/envelope.ts';
import { HatchetWorker } from '../../src/jobs/engines/hatchet/worker.ts';
import { HatchetServer, whyNoHatchet } from '../support/hatchet-server.ts';
import { jobRequest } from '../support/job-request.ts';
import { median } from './median.ts';
import { noop } from './noop.ts';

const version = 'v0.105.0';
const concurrency = 10;

/** How many of our worker's and the SDK's own are compared; odd, so that one of them is the middle one. */
const rounds = 7;

/** Jobs a second, ours and those of a worker that is the SDK's alone, on the same server in the same run. */
export interface HatchetBench {
  readonly ours: number;
  readonly bare: number;
  /** Of the two in one round: the server becomes slower as its tables grow. */
  readonly ratio: number;
}

/** @returns medians of the rounds; undefined where Hatchet's server can't be run here */
export async function benchHatchet(dir: string, count: number): Promise<HatchetBench | undefined> {
  if (whyNoHatchet(version) !== undefined) return undefined;
  const server = await HatchetServer.start(version, { isDurable: true });
  try {
    const env = { ...server.env(), HOME: dir, WIN_AUTOMATION_ARTIFACT_OUT: `${dir}/artifacts` };
    const logger = createLogger({ level: 'error', redact: (text) => text, write: () => undefined, component: 'bench' });
    const bare = (round: number) => runBare(env, `bare${round}`, count, logger);
    const ours = (round: number) => runOurs(env, `ours${round}`, count, logger);
    // Warms the server up.
    await bare(0);
    await ours(0);
    const found: HatchetBench[] = [];
    for (let round = 1; round <= rounds; round++) {
      // Turn about: who goes second has the larger tables.
      const first = round % 2 === 0 ? await bare(round) : undefined;
      const own = await ours(round);
      const other = first ?? (await bare(round));
      found.push({ ours: own, bare: other, ratio: own / other });
    }
    const middle = (key: keyof HatchetBench) => median(found.map((one) => one[key]));
    return { ours: middle('ours'), bare: middle('bare'), ratio: middle('ratio') };
  } finally {
    await server.close();
  }
}

type Env = Readonly<Record<string, string>>;

async function clientOf(env: Env, namespace: string, logger: Logger) {
  const loaded = await loadConfig({ env: { ...env, WIN_AUTOMATION_HATCHET_NAMESPACE: namespace } });
  return { loaded, client: makeHatchetClient(loaded, logger) };
}

/** Puts the jobs into the queue before anybody works: what is timed is the work. */
async function fill(client: HatchetClient, count: number): Promise<void> {
  const runs = Array.from({ length: count }, (_, i) => {
    const traceId = crypto.randomUUID().replaceAll('-', '');
    const envelope = makeEnvelope(jobRequest(`${i}`, { type: 'noop', traceId }), undefined);
    return { workflowName: 'noop', input: envelope as never };
  });
  for (let at = 0; at < count; at += 100) await client.admin.runWorkflows(runs.slice(at, at + 100));
}

async function timed(count: number, done: () => number): Promise<number> {
  while (done() === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const startedMs = performance.now();
  while (done() < count) await new Promise((resolve) => setTimeout(resolve, 1));
  return count / ((performance.now() - startedMs) / 1_000);
}

async function runBare(env: Env, namespace: string, count: number, logger: Logger): Promise<number> {
  const { client } = await clientOf(env, namespace, logger);
  let done = 0;
  const fn = async () => {
    done += 1;
    return { state: 'completed' };
  };
  const worker = await client.worker('bare', {
    workflows: [client.task({ name: 'noop', fn })],
    slots: concurrency,
    handleKill: false,
  });
  await fill(client, count);
  worker.start().catch(() => undefined);
  const rate = await timed(count, () => done);
  await worker.stop();
  return rate;
}

async function runOurs(env: Env, namespace: string, count: number, logger: Logger): Promise<number> {
  const { loaded, client } = await clientOf(env, namespace, logger);
  const stop = new AbortController();
  const metrics = new Metrics();
  const worker = new HatchetWorker(client, {
    loaded,
    types: [noop],
    concurrency,
    leaseMs: milliseconds(15_000),
    graceMs: milliseconds(1_000),
    metrics,
    logger,
    // Its lines go to Hatchet, as those of a real worker do.
    jobLogger: (write) => createLogger({ level: 'info', redact: loaded.redact, component: 'jobs', write }),
    signal: stop.signal,
  });
  const { client: enqueuer } = await clientOf(env, namespace, logger);
  // Makes the job type known, so that the queue can be filled before the worker is there.
  const known = enqueuer.task({ name: 'noop', fn: async () => ({}) });
  await enqueuer.worker('known', { workflows: [known], handleKill: false });
  await fill(enqueuer, count);
  const running = worker.run().catch(() => undefined);
  const rate = await timed(count, () => metrics.get('jobs_completed_total'));
  stop.abort();
  await running;
  return rate;
}
