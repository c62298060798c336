import { randomUUID } from 'node:crypto';
import type { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/client/client.js';
import type { Context } from '@hatchet-dev/typescript-sdk/v1/client/worker/context.js';
import { NonRetryableError } from '@hatchet-dev/typescript-sdk/v1/task.js';
import type { JsonObject } from '@hatchet-dev/typescript-sdk/v1/types.js';
import * as v from 'valibot';
import { sleep } from '../../../core/deadline.ts';
import { AutomationError, messageOf } from '../../../core/errors.ts';
import { judgeServer } from '../../../hatchet/compatibility.ts';
import { serverVersion } from '../../../hatchet/server.ts';
import { type Assignment, type AttemptEnd, loggerOf, runAttempt, tellEnd, tellStart } from '../../attempt.ts';
import { HostPool } from '../../host-pool.ts';
import { handedBack, type JobWorker, type WorkerOptions } from '../../worker.ts';
import { doubtMs, EndedTries } from './ended-tries.ts';
import { encodeFailure, envelopeSchema } from './envelope.ts';
import { HatchetJobLog } from './logs.ts';
import { traceIdOf } from './records.ts';
import { beRegistered, onStreamBreak } from './registration.ts';
import { type Reports, reportUntilHeard } from './reports.ts';
import { hatchetWorkflows } from './workflows.ts';

const firstWaitMs = 500;
const longestWaitMs = 30_000;
const aliveEveryMs = 5_000;
/** Cleaning up after a job that was stopped has an end as well. */
const reportGraceMs = 15_000;
const logGraceMs = 5_000;

/** A job that runs here, for every try that Hatchet takes it for. */
interface Running {
  readonly stop: AbortController;
  readonly done: Promise<AttemptEnd>;
  /** Tries that wait for it: a server that comes back begins a new one while the old one runs on. */
  tries: number;
}

/** Takes jobs from Hatchet and runs them, until its signal is aborted. */
export class HatchetWorker implements JobWorker {
  readonly id = `worker-${randomUUID()}`;
  readonly #client: HatchetClient;
  readonly #options: WorkerOptions;
  readonly #running = new Map<string, Running>();
  readonly #ended = new EndedTries();
  /** Log lines that are on their way: no job waits for them, but the worker's end does. */
  readonly #logs = new Pending();
  #isRegistered = false;
  /** Since when Hatchet does not know of this worker, can't be asked, or broke off. */
  #troubleSinceMs: number | undefined;

  constructor(client: HatchetClient, options: WorkerOptions) {
    this.#client = client;
    this.#options = options;
  }

  get isReady(): boolean {
    return this.#isRegistered && !this.#options.signal.aborted;
  }

  get runningJobs(): number {
    return this.#running.size;
  }

  /** What Hatchet was given is not this worker's to know: it counts what it took. */
  countEnqueued(): void {}

  async run(): Promise<void> {
    const { loaded, logger, signal, graceMs } = this.#options;
    await using hosts = new HostPool(loaded, logger);
    const end = new AbortController();
    const onHeard = (taskId: string, hadToWait: boolean) => this.#ended.heard(taskId, !hadToWait && this.#isRegistered);
    const reports = reportUntilHeard(this.#client, logger, onHeard, end.signal);
    onStreamBreak(this.#client, () => this.#onTrouble());
    const alive = setInterval(() => this.#options.onAlive?.(), aliveEveryMs);
    this.#options.onAlive?.();
    try {
      await this.#stayRegistered(hosts, reports);
    } finally {
      this.#isRegistered = false;
      const giveUp = setTimeout(() => end.abort(handedBack), graceMs + reportGraceMs);
      await this.#drain();
      await reports.heard();
      await Promise.race([this.#logs.settled(), sleep(logGraceMs)]);
      clearTimeout(giveUp);
      clearInterval(alive);
      end.abort(handedBack);
    }
    signal.throwIfAborted();
  }

  /** Registers, and does so again whenever that is lost; only what waiting can't mend ends it. */
  async #stayRegistered(hosts: HostPool, reports: Reports): Promise<void> {
    const { loaded, logger, signal, concurrency, types } = this.#options;
    const take = (typeName: string, input: unknown, context: Context<JsonObject>) =>
      this.#take(typeName, input, context, hosts);
    const workflows = hatchetWorkflows(this.#client, types, loaded.config, take);
    let waitMs = firstWaitMs;
    while (!signal.aborted) {
      try {
        await this.#requireCompatible();
        const onState = (isAlive: boolean) => {
          if (isAlive) waitMs = firstWaitMs;
          this.#onState(isAlive, reports);
        };
        const why = await beRegistered(this.#client, {
          loaded,
          workflows,
          slots: concurrency,
          logger,
          onState,
          signal,
        });
        logger.warn('register', `${why}: registering again`);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof AutomationError && ['hatchet_refused', 'version_mismatch'].includes(error.code))
          throw error;
        logger.warn('register', 'Hatchet can not be used now; trying again', {
          err: messageOf(error),
          wait_ms: waitMs,
        });
      }
      await sleep(waitMs, signal).catch(() => undefined);
      waitMs = Math.min(waitMs * 2, longestWaitMs);
    }
  }

  #toldVersion: string | undefined;

  async #requireCompatible(): Promise<void> {
    const { loaded, signal, logger } = this.#options;
    const version = await serverVersion(loaded.config, signal);
    if (version === this.#toldVersion) return;
    this.#toldVersion = version;
    const { compatibility, note } = judgeServer(version);
    if (compatibility === 'incompatible') {
      throw new AutomationError('version_mismatch', `Hatchet ${version} can't be worked with: ${note}`);
    }
    logger[compatibility === 'degraded' ? 'warn' : 'info']('register', note, {
      server_version: version,
      compatibility,
    });
  }

  /** One try of a job, as the SDK asks for it. */
  async #take(typeName: string, input: unknown, context: Context<JsonObject>, hosts: HostPool): Promise<JsonObject> {
    const jobId = context.workflowRunId();
    const envelope = v.safeParse(envelopeSchema, input);
    const type = this.#options.types.find(({ name }) => name === typeName);
    const typeInput = v.safeParse(type?.input ?? v.never(), envelope.success ? envelope.output.input : undefined);
    if (!envelope.success || !typeInput.success) {
      const issues = [...(envelope.issues ?? []), ...(typeInput.issues ?? [])].map(({ message }) => message);
      throw refusal(`the input is none of ${typeName}: ${issues.join('; ')}`);
    }
    const attempt = context.retryCount() + 1;
    const { host, timeout_ms: timeoutMs, trace_id, max_attempts } = envelope.output;
    const assignment: Assignment = {
      jobId,
      traceId: traceIdOf(context.additionalMetadata(), trace_id, jobId),
      type: typeName,
      host,
      input: typeInput.output,
      attempt,
      createdAt: new Date(),
      timeoutMs,
    };
    const isLastTry = attempt >= max_attempts;
    const ended = this.#ended.endInDoubt(context.taskRunExternalId());
    if (ended !== undefined) return answer(ended, isLastTry);
    const running = this.#running.get(jobId) ?? this.#begin(assignment, isLastTry, context, hosts);
    running.tries += 1;
    const onAbort = () => {
      running.tries -= 1;
      if (running.tries === 0) running.stop.abort(new AutomationError('cancelled', `job ${jobId} was cancelled`));
    };
    context.abortController.signal.addEventListener('abort', onAbort, { once: true });
    const end = await running.done;
    return answer(end, isLastTry);
  }

  #begin(assignment: Assignment, isLastTry: boolean, context: Context<JsonObject>, hosts: HostPool): Running {
    const { metrics, jobLogger } = this.#options;
    const { jobId, attempt } = assignment;
    if (attempt === 1) metrics.add('jobs_enqueued_total');
    const log = new HatchetJobLog(this.#client, context.taskRunExternalId(), context.retryCount());
    const logger = loggerOf(
      jobLogger((line) => log.add(line)),
      assignment,
    );
    // When a try began and how it ended Hatchet knows by itself: `jobs logs` tells it from there.
    const ownLogger = loggerOf(
      jobLogger(() => undefined),
      assignment,
    );
    tellStart(assignment, ownLogger);
    const stop = new AbortController();
    const work = async () => {
      const end = await runAttempt(assignment, this.#options, { hosts, logger, stop: stop.signal });
      const isOver = !end.isRetryable || isLastTry;
      tellEnd(isOver && end.error?.code !== handedBack.code ? end.state : 'queued', end, ownLogger, metrics);
      this.#logs.add(log.flush());
      this.#running.delete(jobId);
      // One that may be tried again is done again, whoever asks for it; so is one that was handed back.
      if (end.state === 'completed' || (end.state === 'failed' && !end.isRetryable))
        this.#ended.add(context.taskRunExternalId(), end);
      return end;
    };
    const running: Running = { stop, done: work(), tries: 0 };
    this.#running.set(jobId, running);
    return running;
  }

  /** Told again and again whether Hatchet knows of this worker. */
  #onState(isAlive: boolean, reports: Reports): void {
    // Until it is up for the first time there is nothing to be in doubt of.
    if (this.#isRegistered && !isAlive) this.#onTrouble();
    this.#isRegistered = isAlive;
    if (!isAlive || this.#troubleSinceMs === undefined) return;
    reports.repeat(this.#troubleSinceMs - doubtMs);
    this.#troubleSinceMs = undefined;
  }

  #onTrouble(): void {
    this.#troubleSinceMs ??= Date.now();
    this.#ended.trouble();
  }

  async #drain(): Promise<void> {
    const { graceMs, logger } = this.#options;
    const all = () => Promise.all([...this.#running.values()].map(({ done }) => done));
    if (this.#running.size === 0) return;
    logger.info('drain', 'waiting for what runs', { jobs: this.#running.size });
    await Promise.race([all(), sleep(graceMs)]);
    for (const { stop } of this.#running.values()) stop.abort(handedBack);
    await all();
  }
}

const refusal = (message: string) =>
  withoutStack(
    new NonRetryableError(encodeFailure({ code: 'usage', message, result: undefined, isTriedAgain: false })),
  );

/** What Hatchet is told: the result, or an error that says whether another try is worth it. */
function answer({ state, result, error, isRetryable }: AttemptEnd, isLastTry: boolean): JsonObject | Promise<never> {
  if (state === 'completed') return result as JsonObject;
  // Never answered: Hatchet gives the job out again once this worker is gone.
  if (error?.code === handedBack.code) return new Promise<never>(() => undefined);
  const isTriedAgain = isRetryable && !isLastTry;
  const { code, message } = error ?? { code: 'internal', message: 'it failed' };
  const text = encodeFailure({ code, message, result, isTriedAgain });
  throw withoutStack(isTriedAgain ? new Error(text) : new NonRetryableError(text));
}

/** The SDK sends the stack along, which tells a user nothing. */
function withoutStack<E extends Error>(error: E): E {
  error.stack = '';
  return error;
}

/** Promises that somebody will wait for. */
class Pending {
  readonly #promises = new Set<Promise<unknown>>();

  add(promise: Promise<unknown>): void {
    this.#promises.add(promise);
    promise.finally(() => this.#promises.delete(promise));
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#promises);
  }
}
