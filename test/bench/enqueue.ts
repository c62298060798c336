import process from 'node:process';
import { LocalEngine } from '../../src/jobs/engines/local/engine.ts';
import { jobRequest } from '../support/job-request.ts';

/** Enqueues no-op jobs from a process of its own, as users do: `bun enqueue.ts STORE COUNT`. */
const [store = '', count = '0'] = process.argv.slice(2);
await using engine = new LocalEngine(store);
for (let i = 0; i < Number(count); i += 1) await engine.enqueue(jobRequest(`job-${i}`, { type: 'noop' }));
