import * as v from 'valibot';
import { milliseconds } from '../../../core/duration.ts';
import { isOver, type JobRecord, type JobState } from '../../engine.ts';
import { decodeFailure, envelopeSchema } from './envelope.ts';

const states = {
  QUEUED: 'queued',
  RUNNING: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  EVICTED: 'queued',
} as const satisfies Record<string, JobState>;

/** How Hatchet calls our states, for its filters. */
export const hatchetStates = (state: JobState): (keyof typeof states)[] =>
  (Object.keys(states) as (keyof typeof states)[]).filter((name) => states[name] === state);

/** A time; Hatchet writes the year 1 where there is none. */
const time = v.pipe(
  v.nullish(v.string()),
  v.transform((text) => {
    const date = text === undefined || text === null ? undefined : new Date(text);
    return date === undefined || Number.isNaN(date.getTime()) || date.getUTCFullYear() < 2_000 ? undefined : date;
  }),
);

const metadata = v.object({ id: v.string(), createdAt: v.string() });

/** What a run and a row of a list have in common. */
const runFields = {
  metadata,
  status: v.picklist(Object.keys(states) as (keyof typeof states)[]),
  errorMessage: v.optional(v.string(), ''),
  input: v.optional(v.object({ input: v.optional(v.unknown()) }), {}),
  output: v.optional(v.unknown()),
  additionalMetadata: v.optional(v.record(v.string(), v.unknown()), {}),
  startedAt: time,
  finishedAt: time,
};

/** A row of `GET …/workflow-runs`. */
export const listedRunSchema = v.object({
  ...runFields,
  workflowName: v.string(),
  retryCount: v.optional(v.number(), 0),
});

/** `GET …/workflow-runs/{id}`. */
export const runDetailsSchema = v.object({
  run: v.object(runFields),
  tasks: v.array(
    v.object({
      actionId: v.optional(v.string(), ''),
      retryCount: v.optional(v.number(), 0),
      startedAt: time,
      output: v.optional(v.unknown()),
      errorMessage: v.optional(v.string(), ''),
    }),
  ),
});

/** A run as the engine itself tells it by gRPC: less, but at once. */
export const engineRunSchema = v.object({
  status: v.picklist(Object.keys(states) as (keyof typeof states)[]),
  input: v.optional(v.unknown()),
  additionalMetadata: v.object({ app: v.string(), type: v.string() }),
  taskRuns: v.record(v.string(), v.object({ output: v.optional(v.unknown()), error: v.optional(v.string(), '') })),
});

/** A run of which the engine knows and the REST API does not: when it was begun and how often it was tried is not known. */
export function engineRunToRecord(
  id: string,
  { status, input, additionalMetadata, taskRuns }: v.InferOutput<typeof engineRunSchema>,
): JobRecord {
  const [task] = Object.values(taskRuns);
  return toRecord({
    metadata: { id, createdAt: new Date().toISOString() },
    status,
    errorMessage: task?.error ?? '',
    input: { input },
    output: task?.output,
    additionalMetadata,
    startedAt: undefined,
    finishedAt: undefined,
    workflowName: additionalMetadata.type,
    retryCount: 0,
  });
}

/**
 * What the REST API and the engine tell of a run, together. The engine decides whether it is over, and how it went; the REST
 * API knows more of the rest.
 */
export function mergeRecords(told: JobRecord | undefined, known: JobRecord | undefined): JobRecord | undefined {
  if (told === undefined || known === undefined || !isOver(known.state)) return told ?? known;
  const { state, result, error, isCancelRequested } = known;
  return { ...told, state, result, error, isCancelRequested, attempt: Math.max(told.attempt, known.attempt) };
}

type ListedRun = v.InferOutput<typeof listedRunSchema>;

/** The job type that a workflow or an action is called for. */
export const typeOf = (name: string, namespace: string): string => {
  const [workflow = ''] = name.split(':');
  const prefix = namespace === '' ? '' : `${namespace}_`;
  return workflow.startsWith(prefix) ? workflow.slice(prefix.length) : workflow;
};

/** The record of a run's details. Its only task, which the REST API tells a moment later than the run, is the job. */
export function detailsToRecord(details: v.InferOutput<typeof runDetailsSchema>, namespace: string): JobRecord {
  const [task] = details.tasks;
  const { type } = details.run.additionalMetadata;
  return toRecord({
    ...details.run,
    workflowName: typeof type === 'string' ? type : typeOf(task?.actionId ?? '', namespace),
    retryCount: task?.retryCount ?? 0,
    // Servers of 0.77 tell these of the task alone.
    output: resultOf(details.run.output) ?? task?.output,
    errorMessage: details.run.errorMessage || (task?.errorMessage ?? ''),
    // The run's own is when the first try was begun.
    startedAt: task?.startedAt,
  });
}

/**
 * A run as a job. A run that somebody else started, by the dashboard or by hand, may carry less than ours do.
 *
 * @param run with the job type as its `workflowName`
 */
export function toRecord(run: ListedRun): JobRecord {
  const told = run.status === 'FAILED' ? decodeFailure(run.errorMessage) : undefined;
  const state = told?.isTriedAgain === true ? 'queued' : states[run.status];
  const failure = state === 'failed' ? told : undefined;
  const {
    metadata: { id, createdAt },
    retryCount,
    startedAt,
    finishedAt,
  } = run;
  const parsed = v.safeParse(envelopeSchema, run.input.input);
  const envelope = parsed.success ? parsed.output : undefined;
  const created = new Date(createdAt);
  const isWaiting = told === undefined && (state === 'queued' || (state === 'cancelled' && startedAt === undefined));
  return {
    jobId: id,
    traceId: traceIdOf(run.additionalMetadata, envelope?.trace_id, id),
    type: run.workflowName,
    host: envelope?.host ?? 'default',
    state,
    input: envelope === undefined ? run.input.input : envelope.input,
    result: state === 'completed' ? resultOf(run.output) : failure?.result,
    error:
      failure === undefined
        ? state === 'cancelled'
          ? { code: 'cancelled', message: run.errorMessage || 'cancelled' }
          : undefined
        : { code: failure.code, message: failure.message },
    attempt: isWaiting ? retryCount : retryCount + 1,
    maxAttempts: envelope?.max_attempts ?? 1,
    timeoutMs: envelope?.timeout_ms ?? milliseconds(0),
    priority: envelope?.priority ?? 0,
    createdAt: created,
    runAt: created,
    // A try of less than a tenth of a second is told by its end alone (reports.ts): it began then, as far as that goes.
    startedAt: startedAt ?? (state === 'completed' || state === 'failed' ? finishedAt : undefined),
    endedAt: state === 'queued' || state === 'running' ? undefined : finishedAt,
    // Hatchet calls a run cancelled at once, whatever its worker still has to clean up.
    isCancelRequested: state === 'cancelled',
  };
}

/** Every result of ours has a state; Hatchet gives `{}` while it has none to give. */
const resultOf = (output: unknown): unknown =>
  typeof output === 'object' && output !== null && 'state' in output ? output : undefined;

/**
 * The trace id of a run. One of a schedule has the schedule's input, so its own id serves, which no other run has.
 *
 * @param runId a UUID
 */
export function traceIdOf(
  additionalMetadata: Readonly<Record<string, unknown>>,
  enqueued: string | undefined,
  runId: string,
): string {
  const isScheduled = 'hatchet__cron_name' in additionalMetadata || additionalMetadata['schedule'] !== undefined;
  return enqueued === undefined || isScheduled ? runId.replaceAll('-', '') : enqueued;
}
