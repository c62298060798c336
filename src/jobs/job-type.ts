import type * as v from 'valibot';
import type { JobFolder } from '../artifacts/job-folder.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { WindowsHost } from '../windows/host.ts';

/** How far a job has come, for a progress bar. */
export interface JobProgress {
  readonly label: string;
  readonly done: number;
  readonly total: number;
}

/** What a job works with. */
export interface JobContext {
  readonly jobId: string;
  readonly traceId: string;
  /** 1 the first time. */
  readonly attempt: number;
  /** The host's name in the configuration. */
  readonly host: string;
  readonly loaded: LoadedConfig;
  /** The host's connection, shared with other jobs. */
  readonly windows: WindowsHost;
  readonly logger: Logger;
  /** Aborted when the job is cancelled or its time is over; the reason tells which. */
  readonly signal: AbortSignal;
  readonly artifacts: JobFolder;
  readonly progress: (progress: JobProgress) => void;
  /** The most of each output that goes into the result; all of it goes into the artifacts. */
  readonly captureBytes: number;
  /** Environment variables of a direct command's that must be in no input and no manifest. */
  readonly secretEnv?: Readonly<Record<string, string>> | undefined;
}

/** What became of a job that ran to its end. What it throws is a failure too, and may be worth another try. */
export interface JobOutcome {
  readonly isSuccess: boolean;
  /** The payload: `state` first, then what the type tells. Small; JSON. */
  readonly result: Readonly<Record<string, unknown>> & { readonly state: string };
  /** Why it is no success. */
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  /** The signal's reason, where that is what stopped it. */
  readonly stoppedBy?: unknown;
}

/** A kind of job: what it takes and what it does. Written once; engines and direct commands run it. */
export interface JobType<I = unknown> {
  readonly name: string;
  readonly description: string;
  readonly input: v.GenericSchema<unknown, I>;
  /** Whether it uses the desktop, of which a host has one. */
  readonly isGui: boolean;
  /** Whether it needs a Windows host at all. */
  readonly needsHost: boolean;
  run(input: I, context: JobContext): Promise<JobOutcome>;
}

/** Keeps the input's type inside, so that types of every input fit into one list. */
export function defineJobType<I>(type: JobType<I>): JobType {
  return type as JobType;
}
