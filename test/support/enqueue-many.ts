import process from 'node:process';
import { loadConfig } from '../../src/config/load.ts';
import { createLogger } from '../../src/core/logger.ts';
import { openEngine } from '../../src/jobs/open-engine.ts';
import { jobRequest } from './job-request.ts';

/** Enqueues as many jobs as its argument says, in a process of its own; prints their ids, a line each. */
const loaded = await loadConfig({ env: process.env });
const write = (line: string) => process.stderr.write(line);
const logger = createLogger({ level: 'error', redact: loaded.redact, write, component: 'test' });
await using engine = await openEngine(loaded, logger, AbortSignal.timeout(120_000));
const count = Number(process.argv[2]);
const one = async (i: number) => {
  const traceId = String(i).padStart(32, '0');
  const input = { command: `echo job-${i}.`, shell: 'auto' };
  return (await engine.enqueue(jobRequest(`job-${i}`, { traceId, input }))).record.jobId;
};
const atOnce = 20;
for (let first = 0; first < count; first += atOnce) {
  const batch = Array.from({ length: Math.min(atOnce, count - first) }, (_, i) => one(first + i));
  for (const id of await Promise.all(batch)) process.stdout.write(`${id}\n`);
}
process.exit(0);
