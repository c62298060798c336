import type { LoadedConfig } from '../config/load.ts';
import { type Milliseconds, milliseconds } from '../core/duration.ts';
import { AutomationError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { JobType } from './job-type.ts';

/** What a worker works with, whatever its engine. */
export interface WorkerOptions {
  readonly loaded: LoadedConfig;
  readonly types: readonly JobType[];
  readonly concurrency: number;
  /** A job is taken from a worker that is silent this long; Hatchet has a time of its own. */
  readonly leaseMs: Milliseconds;
  /** How long jobs that run may go on after `signal`, before they are handed back. */
  readonly graceMs: Milliseconds;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** A logger whose lines go to the job's own log as well. */
  readonly jobLogger: (write: (line: string) => void) => Logger;
  /** Told when it takes jobs, and from time to time that it is well. */
  readonly onAlive?: () => void;
  readonly signal: AbortSignal;
}

/** Takes jobs from its engine and runs them. */
export interface JobWorker {
  readonly id: string;
  /** Whether it takes jobs: false before it begins, after it was told to end, and while its engine can't be used. */
  readonly isReady: boolean;
  readonly runningJobs: number;
  /** Brings `jobs_enqueued_total` up to date. */
  countEnqueued(): void;
  /**
   * Runs until the signal is aborted; then waits for what runs, and hands back what does not end in time.
   *
   * @throws the signal's reason, or why it can't go on
   */
  run(): Promise<void>;
}

/** Why a job is stopped that another worker is to do: its time here is over, its try does not count. */
export const handedBack = new AutomationError('terminated', 'the worker ends; the job is handed back');

/** The default of `worker --lease`. */
export const defaultLeaseMs = milliseconds(15_000);
