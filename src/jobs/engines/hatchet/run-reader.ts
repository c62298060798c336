import type { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/client/client.js';
import * as v from 'valibot';
import { sleep } from '../../../core/deadline.ts';
import { AutomationError } from '../../../core/errors.ts';
import { httpStatusOf } from '../../../hatchet/failure.ts';
import { isOver, type JobRecord } from '../../engine.ts';
import { detailsToRecord, engineRunSchema, engineRunToRecord, mergeRecords, runDetailsSchema } from './records.ts';

/** A run is told by the REST API a moment after it was taken. */
const appearsWithinMs = 3_000;
const lookEveryMs = 100;
const askEngineEveryMs = 2_000;
/** Of a run that has just completed the state is told before the result. */
const isWhole = ({ state, result }: JobRecord): boolean => state !== 'completed' || result !== undefined;

/** Asks Hatchet for something that changes nothing, as long as may be. */
type Read = <T>(what: string, call: () => Promise<T>) => Promise<T>;

interface RunReaderContext {
  readonly client: HatchetClient;
  readonly namespace: string;
  readonly signal: AbortSignal;
}

/** Tells what became of one run, by all that Hatchet knows of it. */
export class RunReader {
  readonly #context: RunReaderContext;
  readonly #read: Read;
  /** What was enqueued here, until the REST API knows of it. */
  readonly #fresh = new Map<string, JobRecord>();
  /** When the engine itself was last asked of a job. */
  readonly #askedMs = new Map<string, number>();

  constructor(context: RunReaderContext, read: Read) {
    this.#context = context;
    this.#read = read;
  }

  /** Takes what was enqueued a moment ago. */
  remember(record: JobRecord): void {
    this.#fresh.set(record.jobId, record);
  }

  /** @returns undefined where there is no such job */
  async get(jobId: string): Promise<JobRecord | undefined> {
    // Every run has a UUID; the REST API has no good answer to anything else.
    if (!v.is(v.pipe(v.string(), v.uuid()), jobId)) return undefined;
    const untilMs = Date.now() + appearsWithinMs;
    let known: JobRecord | undefined;
    for (;;) {
      const told = await this.#fromRestApi(jobId);
      if (told !== undefined && isWhole(told) && isOver(told.state)) return this.#settled(told);
      if (known === undefined && this.#mayAskEngine(jobId, told)) known = await this.#secondOpinion(jobId, told);
      const record = mergeRecords(told, known) ?? this.#fresh.get(jobId);
      // That a job is over the REST API hears a moment later, and its lists with it: they are to tell the same.
      const isAwaited = record === undefined || isOver(record.state);
      if (!isAwaited || Date.now() >= untilMs) return record;
      await sleep(lookEveryMs, this.#context.signal);
    }
  }

  #settled(record: JobRecord): JobRecord {
    this.#fresh.delete(record.jobId);
    this.#askedMs.delete(record.jobId);
    return record;
  }

  /**
   * The REST API tells what it was told by the engine: a moment later, after a restart a minute, and never what an engine
   * that was killed had just begun to tell. So the engine itself is asked as well, but not all the time by who waits.
   */
  #mayAskEngine(jobId: string, told: JobRecord | undefined): boolean {
    if (told !== undefined && Date.now() - (this.#askedMs.get(jobId) ?? 0) < askEngineEveryMs) return false;
    this.#askedMs.set(jobId, Date.now());
    return true;
  }

  async #fromRestApi(jobId: string): Promise<JobRecord | undefined> {
    const found = await this.#read('status', () =>
      this.#context.client.runs.get(jobId).catch((error: unknown) => {
        if (httpStatusOf(error) === 404) return undefined;
        throw error;
      }),
    );
    if (found === undefined) return undefined;
    const details = v.safeParse(runDetailsSchema, found);
    if (details.success) return detailsToRecord(details.output, this.#context.namespace);
    throw new AutomationError('hatchet_failed', `Hatchet tells of job ${jobId} what is not understood`, {
      hint: 'win-automation hatchet status tells whether the versions go together',
    });
  }

  /** What the engine says. Where the REST API has said something, it is no failure that the engine can't be asked. */
  async #secondOpinion(jobId: string, told: JobRecord | undefined): Promise<JobRecord | undefined> {
    try {
      return await this.#fromEngine(jobId);
    } catch (error) {
      this.#context.signal.throwIfAborted();
      if (told === undefined) throw error;
      // Whoever waits for the job is not to wait for this each time.
      this.#askedMs.set(jobId, Number.POSITIVE_INFINITY);
      return undefined;
    }
  }

  /** Older engines can't be asked. */
  async #fromEngine(jobId: string): Promise<JobRecord | undefined> {
    const found = await this.#read('status', () => this.#context.client.runs.getDetails(jobId)).catch(
      (error: unknown) => {
        // It knows no such run, or is too old to be asked.
        if (error instanceof AutomationError && error.code === 'hatchet_failed') return undefined;
        throw error;
      },
    );
    const details = v.safeParse(engineRunSchema, found);
    return details.success ? engineRunToRecord(jobId, details.output) : undefined;
  }
}
