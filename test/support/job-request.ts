import { milliseconds } from '../../src/core/duration.ts';
import type { EnqueueRequest } from '../../src/jobs/engine.ts';

/** A job that says hello; a test changes what it is about. */
export function jobRequest(jobId: string, changes: Partial<EnqueueRequest> = {}): EnqueueRequest {
  return {
    jobId,
    traceId: `trace-${jobId}`,
    type: 'windows.exec',
    isGui: false,
    host: 'default',
    input: { command: `echo ${jobId}.`, shell: 'auto' },
    timeoutMs: milliseconds(60_000),
    maxAttempts: 11,
    backoffMs: milliseconds(1_000),
    priority: 0,
    delayMs: milliseconds(0),
    idempotencyKey: undefined,
    ...changes,
  };
}
