import type { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/client/client.js';
import * as v from 'valibot';
import { AutomationError } from '../../../core/errors.ts';
import type { ScheduleRecord, ScheduleRequest } from '../../engine.ts';
import { hatchetPriority, makeEnvelope, metadataOf, ownMark } from './envelope.ts';
import { typeOf } from './records.ts';

const metadataSchema = v.object({ id: v.string() });
const ours = { app: v.pipe(v.string(), v.startsWith('win-automation')), schedule: v.string(), host: v.string() };

const cronSchema = v.object({
  metadata: metadataSchema,
  cron: v.string(),
  workflowName: v.string(),
  additionalMetadata: v.object(ours),
});
const scheduledSchema = v.object({
  metadata: metadataSchema,
  triggerAt: v.pipe(
    v.string(),
    v.transform((text) => new Date(text)),
  ),
  workflowName: v.string(),
  /** Set once it was begun: the run is in `jobs list` then. */
  workflowRunId: v.optional(v.string()),
  additionalMetadata: v.object(ours),
});

/** The most that is listed of each kind. */
const mostRows = 1_000;

/** Schedules as Hatchet's crons and scheduled runs. */
export class HatchetSchedules {
  readonly #client: HatchetClient;
  readonly #namespace: string;
  readonly #ask: <T>(what: string, call: () => Promise<T>) => Promise<T>;

  constructor(client: HatchetClient, namespace: string, ask: <T>(what: string, call: () => Promise<T>) => Promise<T>) {
    this.#client = client;
    this.#namespace = namespace;
    this.#ask = ask;
  }

  async create(request: ScheduleRequest): Promise<ScheduleRecord> {
    const answer = await this.#ask('schedule', () => this.#create(request));
    const { id } = v.parse(v.object({ metadata: metadataSchema }), answer).metadata;
    const { name, type, host, time } = request;
    return { scheduleId: id, name, type, host, time };
  }

  #create({ name, time, ...request }: ScheduleRequest): Promise<unknown> {
    const envelope = makeEnvelope(request, undefined);
    const common = {
      input: envelope as Record<string, unknown>,
      additionalMetadata: { ...metadataOf(this.#namespace, request.type, envelope), schedule: name },
      priority: hatchetPriority(request.priority),
    };
    return 'cron' in time
      ? this.#client.crons.create(request.type, { ...common, name, expression: time.cron })
      : this.#client.scheduled.create(request.type, { ...common, triggerAt: time.at });
  }

  /** What is still to come, made by win-automation; crons first. */
  async list(): Promise<ScheduleRecord[]> {
    const { app } = ownMark(this.#namespace);
    const query = { limit: mostRows, additionalMetadata: [`app:${app}`] };
    const [crons, runs] = await this.#ask('schedules', () =>
      Promise.all([this.#client.crons.list(query), this.#client.scheduled.list(query)]),
    );
    const found: ScheduleRecord[] = [];
    for (const row of crons.rows ?? []) {
      const cron = v.safeParse(cronSchema, row);
      if (cron.success) found.push(this.#record(cron.output, { cron: cron.output.cron }));
    }
    for (const row of runs.rows ?? []) {
      const run = v.safeParse(scheduledSchema, row);
      if (run.success && run.output.workflowRunId === undefined) {
        found.push(this.#record(run.output, { at: run.output.triggerAt }));
      }
    }
    return found;
  }

  async remove(scheduleId: string): Promise<ScheduleRecord | undefined> {
    // Hatchet answers 500 where it is asked to remove what is not there.
    const found = (await this.list()).find((one) => one.scheduleId === scheduleId);
    if (found === undefined) return undefined;
    await this.#ask('unschedule', () =>
      'cron' in found.time ? this.#client.crons.delete(scheduleId) : this.#client.scheduled.delete(scheduleId),
    );
    return found;
  }

  #record(
    row: Pick<v.InferOutput<typeof cronSchema>, 'metadata' | 'workflowName' | 'additionalMetadata'>,
    time: ScheduleRecord['time'],
  ): ScheduleRecord {
    const { schedule, host } = row.additionalMetadata;
    const type = typeOf(row.workflowName, this.#namespace);
    if (type === '') throw new AutomationError('hatchet_failed', `Hatchet names no job type for schedule ${schedule}`);
    return { scheduleId: row.metadata.id, name: schedule, type, host, time };
  }
}
