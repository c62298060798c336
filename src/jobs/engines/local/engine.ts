import { milliseconds } from '../../../core/duration.ts';
import { AutomationError } from '../../../core/errors.ts';
import {
  type Enqueued,
  type EnqueueRequest,
  isOver,
  type JobEngine,
  type JobFilter,
  type JobLogLine,
  type JobRecord,
  type ScheduleRecord,
} from '../../engine.ts';
import type { JobWorker, WorkerOptions } from '../../worker.ts';
import { leaseNow } from './lease-clock.ts';
import { Store } from './store.ts';
import { LocalWorker } from './worker.ts';

/** Jobs in one SQLite file, for the workers of one machine. */
export class LocalEngine implements JobEngine {
  readonly name = 'local';
  readonly lookEveryMs = 50;
  readonly store: Store;

  /** @throws AutomationError `store_failed`, `store_newer` */
  constructor(path: string) {
    this.store = new Store(path);
  }

  async enqueue(request: EnqueueRequest): Promise<Enqueued> {
    const { store } = this;
    return store.transaction(() => {
      const key = request.idempotencyKey ?? null;
      const [known] = key === null ? [] : store.jobs('SELECT * FROM jobs WHERE idempotency_key = ?', key);
      if (known !== undefined) return { record: known, isNew: false, hasWorker: this.#hasWorker(known.type) };
      const nowMs = Date.now();
      const [record] = store.jobs(
        `INSERT INTO jobs (job_id, trace_id, type, is_gui, host, state, input, max_attempts, timeout_ms, backoff_ms,
           priority, created_ms, run_at_ms, idempotency_key)
         VALUES (?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *`,
        request.jobId,
        request.traceId,
        request.type,
        request.isGui ? 1 : 0,
        request.host,
        JSON.stringify(request.input),
        request.maxAttempts,
        request.timeoutMs,
        request.backoffMs,
        request.priority,
        nowMs,
        nowMs + request.delayMs,
        key,
      );
      if (record === undefined) throw new AutomationError('internal', 'an inserted job came back as nothing');
      return { record, isNew: true, hasWorker: this.#hasWorker(record.type) };
    });
  }

  async get(jobId: string): Promise<JobRecord | undefined> {
    return this.store.jobs('SELECT * FROM jobs WHERE job_id = ?', jobId)[0];
  }

  async list({ state, type, since, limit }: JobFilter): Promise<JobRecord[]> {
    return this.store.jobs(
      `SELECT * FROM jobs WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR type = ?2) AND created_ms >= ?3
       ORDER BY created_ms DESC, rowid DESC LIMIT ?4`,
      state ?? null,
      type ?? null,
      since?.getTime() ?? 0,
      limit,
    );
  }

  async cancel(jobId: string): Promise<JobRecord> {
    return this.store.transaction(() => {
      const before = this.#require(jobId);
      if (isOver(before.state)) {
        throw new AutomationError('job_state', `job ${jobId} is ${before.state} already`, {
          fields: { job_id: jobId, state: before.state },
        });
      }
      const error = JSON.stringify({ code: 'cancelled', message: 'cancelled before it was started' });
      const [record = before] = this.store.jobs(
        `UPDATE jobs SET cancel_requested = 1,
           state = iif(state = 'queued', 'cancelled', state),
           ended_ms = iif(state = 'queued', ?2, ended_ms),
           error = iif(state = 'queued', ?3, error)
         WHERE job_id = ?1 RETURNING *`,
        jobId,
        Date.now(),
        error,
      );
      return record;
    });
  }

  async replay(jobId: string, newJobId: string, traceId: string): Promise<Enqueued> {
    const [found] = this.store.all('SELECT is_gui, backoff_ms FROM jobs WHERE job_id = ?', jobId) as {
      is_gui: number;
      backoff_ms: number;
    }[];
    const { type, host, input, timeoutMs, maxAttempts, priority } = this.#require(jobId);
    return this.enqueue({
      jobId: newJobId,
      traceId,
      type,
      host,
      input,
      timeoutMs,
      maxAttempts,
      priority,
      isGui: found?.is_gui === 1,
      backoffMs: milliseconds(found?.backoff_ms ?? 0),
      delayMs: milliseconds(0),
      idempotencyKey: undefined,
    });
  }

  async logs(jobId: string, afterSeq: number): Promise<JobLogLine[]> {
    const found = this.store.all(
      'SELECT seq, line FROM job_logs WHERE job_id = ? AND seq > ? ORDER BY seq',
      jobId,
      afterSeq,
    );
    return found as JobLogLine[];
  }

  schedule(): Promise<ScheduleRecord> {
    return Promise.reject(noSchedules());
  }

  schedules(): Promise<ScheduleRecord[]> {
    return Promise.reject(noSchedules());
  }

  unschedule(): Promise<undefined> {
    return Promise.reject(noSchedules());
  }

  worker(options: WorkerOptions): JobWorker {
    return new LocalWorker(this.store, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.store[Symbol.dispose]();
  }

  #require(jobId: string): JobRecord {
    const [record] = this.store.jobs('SELECT * FROM jobs WHERE job_id = ?', jobId);
    if (record !== undefined) return record;
    throw new AutomationError('job_unknown', `there is no job ${jobId}`, { fields: { job_id: jobId } });
  }

  #hasWorker(type: string): boolean {
    const { bootId, uptimeMs } = leaseNow();
    const alive = this.store.all(
      'SELECT types FROM workers WHERE lease_boot = ? AND lease_until_ms > ?',
      bootId,
      uptimeMs,
    ) as { types: string }[];
    return alive.some(({ types }) => types.split(',').includes(type));
  }
}

/** A process that lives on would have to keep the time; systemd does, and so does Hatchet. */
const noSchedules = () =>
  new AutomationError('usage', 'the local engine has no schedules', {
    hint: 'set jobs.engine to hatchet, or let a systemd timer run win-automation jobs enqueue',
  });
