import type { Milliseconds } from '../core/duration.ts';
import type { JobWorker, WorkerOptions } from './worker.ts';

export const jobStates = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

/** Whether a state is one that a job never leaves by itself. */
export const isOver = (state: JobState): boolean => state !== 'queued' && state !== 'running';

/** What an engine knows of a job. */
export interface JobRecord {
  readonly jobId: string;
  readonly traceId: string;
  readonly type: string;
  readonly host: string;
  readonly state: JobState;
  readonly input: unknown;
  readonly result: unknown;
  readonly error: { readonly code: string; readonly message: string } | undefined;
  /** Tries begun; 0 while it waits for the first. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly timeoutMs: Milliseconds;
  readonly priority: number;
  readonly createdAt: Date;
  /** Not before. */
  readonly runAt: Date;
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  readonly isCancelRequested: boolean;
}

export interface EnqueueRequest {
  readonly jobId: string;
  readonly traceId: string;
  readonly type: string;
  readonly isGui: boolean;
  readonly host: string;
  /** Checked by the job type's schema already. */
  readonly input: unknown;
  readonly timeoutMs: Milliseconds;
  readonly maxAttempts: number;
  /** The wait before the second try; it doubles with each. */
  readonly backoffMs: Milliseconds;
  /** Higher goes first. */
  readonly priority: number;
  readonly delayMs: Milliseconds;
  /** A second job with the same key is the first one. */
  readonly idempotencyKey: string | undefined;
}

export interface Enqueued {
  readonly record: JobRecord;
  /** False where the idempotency key was known. */
  readonly isNew: boolean;
  /** Whether a live worker would take it. */
  readonly hasWorker: boolean;
}

export interface JobFilter {
  readonly state?: JobState | undefined;
  readonly type?: string | undefined;
  readonly since?: Date | undefined;
  readonly limit: number;
}

export interface JobLogLine {
  readonly seq: number;
  readonly line: string;
}

/** When a job is to be enqueued by the engine itself. */
export type ScheduleTime =
  /** Five fields: minute, hour, day of the month, month, day of the week; UTC. */
  { readonly cron: string } | { readonly at: Date };

export interface ScheduleRequest extends Omit<EnqueueRequest, 'jobId' | 'delayMs' | 'idempotencyKey'> {
  /** What a cron schedule is called. */
  readonly name: string;
  readonly time: ScheduleTime;
}

/** What an engine knows of a schedule. */
export interface ScheduleRecord {
  readonly scheduleId: string;
  readonly name: string;
  readonly type: string;
  readonly host: string;
  readonly time: ScheduleTime;
}

/** Who keeps jobs and hands them to workers. */
export interface JobEngine extends AsyncDisposable {
  readonly name: 'local' | 'hatchet';
  /** How often somebody who waits may ask: a file bears more than a server that many use. */
  readonly lookEveryMs: number;
  enqueue(request: EnqueueRequest): Promise<Enqueued>;
  get(jobId: string): Promise<JobRecord | undefined>;
  /** The newest first. */
  list(filter: JobFilter): Promise<JobRecord[]>;
  /** @throws AutomationError `job_unknown`; `job_state` where it is over already */
  cancel(jobId: string): Promise<JobRecord>;
  /** Enqueues the same once more, under a new id. @throws AutomationError `job_unknown` */
  replay(jobId: string, newJobId: string, traceId: string): Promise<Enqueued>;
  logs(jobId: string, afterSeq: number): Promise<JobLogLine[]>;
  /** @throws AutomationError `usage` where the engine has no schedules */
  schedule(request: ScheduleRequest): Promise<ScheduleRecord>;
  schedules(): Promise<ScheduleRecord[]>;
  /** @returns what is gone; undefined if there was no such schedule */
  unschedule(scheduleId: string): Promise<ScheduleRecord | undefined>;
  /** A worker for this engine, which must outlive it. */
  worker(options: WorkerOptions): JobWorker;
}
