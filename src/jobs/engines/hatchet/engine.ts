import type { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/client/client.js';
import * as v from 'valibot';
import type { LoadedConfig } from '../../../config/load.ts';
import { milliseconds } from '../../../core/duration.ts';
import { AutomationError, messageOf } from '../../../core/errors.ts';
import type { Logger } from '../../../core/logger.ts';
import { retry } from '../../../core/retry.ts';
import { ask, makeHatchetClient, namespaceOf } from '../../../hatchet/client.ts';
import {
  type Enqueued,
  type EnqueueRequest,
  isOver,
  type JobEngine,
  type JobFilter,
  type JobLogLine,
  type JobRecord,
  type ScheduleRecord,
  type ScheduleRequest,
} from '../../engine.ts';
import { jobTypes } from '../../job-types.ts';
import type { JobWorker, WorkerOptions } from '../../worker.ts';
import { hostLabel, ownMark } from './envelope.ts';
import { listLogs, withBeginAndEnd } from './logs.ts';
import { hatchetStates, listedRunSchema, toRecord, typeOf } from './records.ts';
import { RunReader } from './run-reader.ts';
import { HatchetSchedules } from './schedules.ts';
import { triggerRun } from './trigger.ts';
import { HatchetWorker } from './worker.ts';
import { hatchetWorkflows } from './workflows.ts';

/** The most rows that the REST API gives at once. */
const pageRows = 100;

/** Jobs as Hatchet's runs, for the workers of any number of machines. */
export class HatchetEngine implements JobEngine {
  readonly name = 'hatchet';
  readonly lookEveryMs = 250;
  readonly #loaded: LoadedConfig;
  readonly #client: HatchetClient;
  readonly #signal: AbortSignal;
  readonly #namespace: string;
  readonly #schedules: HatchetSchedules;
  readonly #reader: RunReader;

  /** @throws AutomationError `hatchet_refused` where there is no usable token */
  constructor(loaded: LoadedConfig, logger: Logger, signal: AbortSignal) {
    this.#loaded = loaded;
    this.#client = makeHatchetClient(loaded, logger);
    this.#signal = signal;
    this.#namespace = namespaceOf(loaded.config.hatchet.namespace);
    const context = { client: this.#client, namespace: this.#namespace, signal };
    this.#schedules = new HatchetSchedules(this.#client, this.#namespace, (what, call) => this.#ask(what, call));
    this.#reader = new RunReader(context, (what, call) => this.#read(what, call));
  }

  #ask<T>(what: string, call: () => Promise<T>): Promise<T> {
    return ask(this.#loaded, what, this.#signal, call);
  }

  /** What changes nothing is asked again where the server could not be reached. */
  #read<T>(what: string, call: () => Promise<T>): Promise<T> {
    const { attempts } = this.#loaded.config.retry;
    return retry(() => this.#ask(what, call), { attempts, signal: this.#signal });
  }

  async enqueue(request: EnqueueRequest): Promise<Enqueued> {
    if (request.delayMs > 0) {
      throw new AutomationError('usage', '--delay: Hatchet begins a job at once', {
        hint: 'win-automation jobs schedule --at enqueues it later',
      });
    }
    const hasWorker = await this.#hasWorker(request.type, request.host);
    if (!hasWorker) await this.#requireWorkflow(request.type);
    const context = { client: this.#client, loaded: this.#loaded, namespace: this.#namespace, signal: this.#signal };
    const { jobId, isNew } = await triggerRun(request, context);
    if (!isNew) return { record: await this.#require(jobId), isNew, hasWorker };
    const now = new Date();
    const record: JobRecord = {
      ...request,
      jobId,
      state: 'queued',
      result: undefined,
      error: undefined,
      attempt: 0,
      createdAt: now,
      runAt: now,
      startedAt: undefined,
      endedAt: undefined,
      isCancelRequested: false,
    };
    this.#reader.remember(record);
    return { record, isNew, hasWorker };
  }

  /**
   * A run of a workflow that no worker ever told of is taken by newer servers, given an id, and forgotten: so it is made
   * known first, and the job waits for the first worker.
   */
  async #requireWorkflow(type: string): Promise<void> {
    if (await this.#isKnown(type)) return;
    // The SDK tries to register for 13 seconds and then tells little: whether the server can be reached is asked before.
    await this.#ask('connect', () =>
      this.#client.dispatcher.getVersion().catch((error: unknown) => {
        // Servers of 0.77 have no such call, but answer.
        if (!messageOf(error).includes('UNIMPLEMENTED')) throw error;
      }),
    );
    await this.#ask('register', () => this.#registerWorkflows());
  }

  async #isKnown(type: string): Promise<boolean> {
    const name = this.#workflowName(type);
    const { rows = [] } = await this.#read('workflows', () => this.#client.workflows.list({ name }));
    return rows.some((row) => row.name === name);
  }

  #workflowName(type: string): string {
    return this.#namespace === '' ? type : `${this.#namespace}_${type}`;
  }

  async #registerWorkflows(): Promise<void> {
    const never = () => Promise.reject(new AutomationError('internal', 'this client runs no jobs'));
    const workflows = hatchetWorkflows(this.#client, jobTypes, this.#loaded.config, never);
    await this.#client.worker(this.#loaded.config.hatchet.worker_name, { workflows, handleKill: false });
  }

  get(jobId: string): Promise<JobRecord | undefined> {
    return this.#reader.get(jobId);
  }

  async list({ state, type, since, limit }: JobFilter): Promise<JobRecord[]> {
    const records: JobRecord[] = [];
    // The SDK would take any workflow for one that is not known.
    if (type !== undefined && !(await this.#isKnown(type))) return records;
    for (let offset = 0; records.length < limit; offset += pageRows) {
      const { rows = [] } = await this.#read('list', () =>
        this.#client.runs.list({
          since: since ?? new Date(0),
          ...(state === undefined ? {} : { statuses: hatchetStates(state) as never }),
          ...(type === undefined ? {} : { workflowNames: [this.#workflowName(type)] }),
          additionalMetadata: ownMark(this.#namespace),
          onlyTasks: true,
          includePayloads: true,
          limit: pageRows,
          offset,
        }),
      );
      for (const row of rows) {
        const { workflowName, ...run } = v.parse(listedRunSchema, row);
        records.push(toRecord({ ...run, workflowName: typeOf(workflowName, this.#namespace) }));
      }
      if (rows.length < pageRows) break;
    }
    return records.slice(0, limit);
  }

  async cancel(jobId: string): Promise<JobRecord> {
    const before = await this.#require(jobId);
    if (isOver(before.state)) {
      throw new AutomationError('job_state', `job ${jobId} is ${before.state} already`, {
        fields: { job_id: jobId, state: before.state },
      });
    }
    await this.#ask('cancel', () => this.#client.runs.cancel({ ids: [jobId] }));
    return { ...before, isCancelRequested: true };
  }

  async replay(jobId: string, newJobId: string, traceId: string): Promise<Enqueued> {
    const before = await this.#require(jobId);
    const isGui = jobTypes.find(({ name }) => name === before.type)?.isGui ?? false;
    const { retry_backoff } = this.#loaded.config.hatchet;
    return this.enqueue({
      ...before,
      jobId: newJobId,
      traceId,
      isGui,
      backoffMs: retry_backoff,
      delayMs: milliseconds(0),
      idempotencyKey: undefined,
    });
  }

  async logs(jobId: string, afterSeq: number): Promise<JobLogLine[]> {
    const record = await this.#require(jobId);
    const said = await this.#read('logs', () => listLogs(this.#client, jobId));
    return withBeginAndEnd(record, said, this.#loaded.redact).slice(afterSeq);
  }

  async schedule(request: ScheduleRequest): Promise<ScheduleRecord> {
    await this.#requireWorkflow(request.type);
    return this.#schedules.create(request);
  }

  schedules(): Promise<ScheduleRecord[]> {
    return this.#schedules.list();
  }

  unschedule(scheduleId: string): Promise<ScheduleRecord | undefined> {
    return this.#schedules.remove(scheduleId);
  }

  worker(options: WorkerOptions): JobWorker {
    return new HatchetWorker(this.#client, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The SDK closes its channels with the process.
  }

  async #require(jobId: string): Promise<JobRecord> {
    const record = await this.get(jobId);
    if (record !== undefined) return record;
    throw new AutomationError('job_unknown', `there is no job ${jobId}`, { fields: { job_id: jobId } });
  }

  /** Whether a worker is alive that takes the type, and reaches the host. */
  async #hasWorker(type: string, host: string): Promise<boolean> {
    const { rows = [] } = await this.#read('workers', () => this.#client.workers.list());
    const action = `${this.#workflowName(type)}:${type}`;
    return rows.some(
      ({ status, actions = [], labels = [] }) =>
        status === 'ACTIVE' &&
        actions.includes(action) &&
        labels.some(({ key, value }) => key === hostLabel(host) && value === 'yes'),
    );
  }
}
