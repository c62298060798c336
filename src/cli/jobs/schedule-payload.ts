import { Cron } from 'croner';
import * as v from 'valibot';
import type { Scalar } from '../../core/errors.ts';
import type { JobEngine, ScheduleRecord } from '../../jobs/engine.ts';

/** What `jobs schedule --json` prints, and each line of `jobs schedules --json`. */
export const schedulePayloadSchema = v.strictObject({
  schedule_id: v.string(),
  name: v.string(),
  type: v.string(),
  host: v.string(),
  engine: v.picklist(['local', 'hatchet']),
  cron: v.nullable(v.string()),
  next_at: v.nullable(v.pipe(v.string(), v.isoTimestamp())),
});

/** A schedule as one JSON document. */
export function schedulePayload(
  { scheduleId, name, type, host, time }: ScheduleRecord,
  engine: JobEngine['name'],
): v.InferOutput<typeof schedulePayloadSchema> {
  const next = 'at' in time ? time.at : new Cron(time.cron, { paused: true, timezone: 'UTC' }).nextRun();
  return {
    schedule_id: scheduleId,
    name,
    type,
    host,
    engine,
    cron: 'cron' in time ? time.cron : null,
    next_at: next?.toISOString() ?? null,
  };
}

/** The same as `key=value` words. */
export function scheduleWords(record: ScheduleRecord, engine: JobEngine['name']): Record<string, Scalar> {
  const { cron, ...rest } = schedulePayload(record, engine);
  return { ...rest, ...(cron === null ? {} : { cron }) };
}
