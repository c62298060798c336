import * as v from 'valibot';
import type { Scalar } from '../../core/errors.ts';
import type { Enqueued, JobEngine, JobRecord } from '../../jobs/engine.ts';
import { jobStates } from '../../jobs/engine.ts';

const time = v.nullable(v.pipe(v.string(), v.isoTimestamp()));

/** What `jobs status --json` prints, and each line of `jobs list --json`. */
export const jobPayloadSchema = v.strictObject({
  job_id: v.string(),
  state: v.picklist([...jobStates, 'not_found']),
  trace_id: v.nullable(v.string()),
  engine: v.picklist(['local', 'hatchet']),
  type: v.optional(v.string()),
  host: v.optional(v.string()),
  attempt: v.optional(v.number()),
  max_attempts: v.optional(v.number()),
  priority: v.optional(v.number()),
  cancel_requested: v.optional(v.boolean()),
  created_at: v.optional(time),
  run_at: v.optional(time),
  started_at: v.optional(time),
  ended_at: v.optional(time),
  input: v.optional(v.unknown()),
  result: v.optional(v.unknown()),
  error: v.optional(v.nullable(v.object({ code: v.string(), message: v.string() }))),
});

export type JobPayload = v.InferOutput<typeof jobPayloadSchema>;

/** A job as one JSON document. */
export function jobPayload(record: JobRecord, engine: JobEngine['name']): JobPayload {
  return {
    job_id: record.jobId,
    state: record.state,
    trace_id: record.traceId,
    engine,
    type: record.type,
    host: record.host,
    attempt: record.attempt,
    max_attempts: record.maxAttempts,
    priority: record.priority,
    cancel_requested: record.isCancelRequested,
    created_at: record.createdAt.toISOString(),
    run_at: record.runAt.toISOString(),
    started_at: record.startedAt?.toISOString() ?? null,
    ended_at: record.endedAt?.toISOString() ?? null,
    input: record.input,
    result: record.result ?? null,
    error: record.error ?? null,
  };
}

/** The same as `key=value` words, in one line that scripts can cut. */
export function jobWords(record: JobRecord, engine: JobEngine['name']): Record<string, Scalar> {
  const { jobId, state, traceId, type, host, attempt, error } = record;
  return { job_id: jobId, state, trace_id: traceId, engine, type, host, attempt, error: error?.message };
}

export function enqueuedWords(
  { record, isNew, hasWorker }: Enqueued,
  engine: JobEngine['name'],
): Record<string, Scalar> {
  const { jobId, state, traceId } = record;
  return { job_id: jobId, state, trace_id: traceId, engine, new: isNew, worker: hasWorker };
}

export const notFound = (jobId: string, engine: JobEngine['name']): JobPayload => ({
  job_id: jobId,
  state: 'not_found',
  trace_id: null,
  engine,
});
