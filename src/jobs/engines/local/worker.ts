import { randomUUID } from 'node:crypto';
import { sleep } from '../../../core/deadline.ts';
import { AutomationError, messageOf } from '../../../core/errors.ts';
import type { Logger } from '../../../core/logger.ts';
import { type AttemptEnd, loggerOf, runAttempt, tellEnd, tellStart } from '../../attempt.ts';
import type { JobRecord } from '../../engine.ts';
import { HostPool } from '../../host-pool.ts';
import { handedBack, type JobWorker, type WorkerOptions } from '../../worker.ts';
import { Claims } from './claims.ts';
import { JobLogs } from './job-logs.ts';
import type { Store } from './store.ts';

/** How often the store is looked at for something new: what another process enqueues is begun this much later at most. */
const lookEveryMs = 25;
const storeAgainMs = 1_000;
const forgetEveryMs = 3_600_000;
const dayMs = 86_400_000;

interface Running {
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

interface Ended {
  readonly job: JobRecord;
  readonly end: AttemptEnd;
  readonly recorded: (state: JobRecord['state'] | undefined) => void;
}

/** Takes jobs from the local store and runs them, until its signal is aborted. */
export class LocalWorker implements JobWorker {
  readonly #store: Store;
  readonly id = `worker-${randomUUID()}`;
  readonly #options: WorkerOptions;
  readonly #claims: Claims;
  readonly #logs: JobLogs;
  readonly #running = new Map<string, Running>();
  readonly #startedMs = Date.now();
  #isReady = false;

  constructor(store: Store, options: WorkerOptions) {
    this.#store = store;
    this.#options = options;
    const types = options.types.map(({ name }) => name);
    this.#claims = new Claims(store, this.id, types, options.leaseMs);
    this.#logs = new JobLogs(this.#claims, (reason) => {
      options.logger.error('log', 'lines of job logs are lost', { err: reason });
    });
  }

  /** Whether it takes jobs: false before it begins, after it was told to end, and while the store can't be used. */
  get isReady(): boolean {
    return this.#isReady;
  }

  get runningJobs(): number {
    return this.#running.size;
  }

  /** Counts what others enqueued, too. */
  countEnqueued(): void {
    this.#options.metrics.set('jobs_enqueued_total', this.#claims.enqueuedSince(this.#startedMs));
  }

  /** Runs until the signal is aborted; then waits for what runs, and hands back what does not end in time. */
  async run(): Promise<void> {
    const { loaded, logger, signal } = this.#options;
    await using hosts = new HostPool(loaded, logger);
    const beat = this.#keepLeases();
    try {
      await this.#loop(hosts);
    } finally {
      this.#isReady = false;
      await this.#drain();
      clearInterval(beat);
      this.#logs.flush();
      this.#claims.leave();
    }
    signal.throwIfAborted();
  }

  #keepLeases(): NodeJS.Timeout {
    const beat = () => {
      this.#withStore('heartbeat', () => this.#obey(this.#claims.heartbeat()));
      this.#options.onAlive?.();
    };
    beat();
    return setInterval(beat, this.#options.leaseMs / 3);
  }

  /** Stops what is to be cancelled, and what somebody else has by now. */
  #obey(held: ReadonlyMap<string, boolean>): void {
    for (const [jobId, { stop }] of this.#running) {
      const isCancelled = held.get(jobId);
      if (isCancelled === true) stop.abort(new AutomationError('cancelled', `job ${jobId} was cancelled`));
      else if (isCancelled === undefined)
        stop.abort(new AutomationError('job_lost', `the lease of job ${jobId} ran out`));
    }
  }

  async #loop(hosts: HostPool): Promise<void> {
    const { signal, concurrency } = this.#options;
    let seenVersion = -1;
    let dueMs: number | undefined = 0;
    let forgetAtMs = 0;
    while (!signal.aborted) {
      const isDone = this.#withStore('claim', () => {
        const version = this.#store.dataVersion;
        const isNew = version !== seenVersion;
        seenVersion = version;
        if (isNew && this.#running.size > 0) this.#obey(this.#claims.held());
        const isDue = dueMs !== undefined && Date.now() >= dueMs;
        if (this.#running.size < concurrency && (isNew || isDue)) {
          this.#claimAll(hosts);
          // A job whose worker dies makes no noise: its lease is looked at again after its time.
          dueMs = Math.min(
            this.#claims.nextDueMs() ?? Number.POSITIVE_INFINITY,
            Date.now() + this.#options.leaseMs / 3,
          );
        }
        if (Date.now() > forgetAtMs) {
          forgetAtMs = Date.now() + forgetEveryMs;
          this.#claims.forget(Date.now() - this.#options.loaded.config.artifacts.retention_days * dayMs);
        }
      });
      this.#isReady = isDone;
      const waitMs = isDone ? lookEveryMs : storeAgainMs;
      await Promise.race([sleep(waitMs, signal).catch(() => undefined), this.#somethingEnds()]);
      // What ended here leaves no trace in the data version, but a slot.
      if (this.#running.size < concurrency && this.#hasEnded) {
        this.#hasEnded = false;
        dueMs = 0;
      }
    }
  }

  #hasEnded = false;
  #wake: () => void = () => undefined;

  #somethingEnds(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #claimAll(hosts: HostPool): void {
    for (const job of this.#claims.claim(this.#options.concurrency - this.#running.size, [...this.#running.keys()])) {
      const stop = new AbortController();
      const done = this.#work(job, stop.signal, hosts).finally(() => {
        this.#running.delete(job.jobId);
        this.#hasEnded = true;
        this.#wake();
      });
      this.#running.set(job.jobId, { stop, done });
    }
  }

  async #work(job: JobRecord, stop: AbortSignal, hosts: HostPool): Promise<void> {
    const logger = loggerOf(
      this.#options.jobLogger((line) => this.#logs.add(job.jobId, line)),
      job,
    );
    tellStart(job, logger);
    const end = await runAttempt(job, this.#options, { hosts, logger, stop });
    await this.#record(job, end, logger);
  }

  /** Says how a job ended, however long the store can't be written: the work is done and must not be forgotten. */
  async #record(job: JobRecord, end: AttemptEnd, logger: Logger): Promise<void> {
    const state = await new Promise<JobRecord['state'] | undefined>((recorded) => {
      this.#ended.push({ job, end, recorded });
      this.#flushing ??= this.#flushEnded();
    });
    tellEnd(state, end, logger, this.#options.metrics);
  }

  readonly #ended: Ended[] = [];
  #flushing: Promise<void> | undefined;

  /** Writes what ended meanwhile in one transaction. */
  async #flushEnded(): Promise<void> {
    while (this.#ended.length > 0) {
      // What ends in this same turn comes along.
      await sleep(0);
      const batch = [...this.#ended];
      let states: (JobRecord['state'] | undefined)[] = [];
      const isRecorded = this.#withStore('finish', () => {
        states = this.#store.transaction(() => batch.map(({ job, end }) => this.#finish(job, end)));
      });
      if (!isRecorded) await sleep(storeAgainMs);
      else for (const [i, { recorded }] of this.#ended.splice(0, batch.length).entries()) recorded(states[i]);
    }
    this.#flushing = undefined;
  }

  #finish(job: JobRecord, end: AttemptEnd): JobRecord['state'] | undefined {
    return end.error?.code === handedBack.code ? this.#claims.handBack(job) : this.#claims.finish(job, end);
  }

  async #drain(): Promise<void> {
    const { graceMs, logger } = this.#options;
    if (this.#running.size === 0) return;
    logger.info('drain', 'waiting for what runs', { jobs: this.#running.size });
    const all = () => Promise.all([...this.#running.values()].map(({ done }) => done));
    await Promise.race([all(), sleep(graceMs)]);
    for (const { stop } of this.#running.values()) stop.abort(handedBack);
    await all();
  }

  /** @returns whether it could be done; what could not is said, and tried again */
  #withStore(op: string, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      const hint = error instanceof AutomationError ? error.hint : undefined;
      this.#options.logger.error(op, messageOf(error), { hint });
      return false;
    }
  }
}
