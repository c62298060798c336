import * as v from 'valibot';
import { milliseconds } from '../../../core/duration.ts';
import type { EnqueueRequest } from '../../engine.ts';

/** What a run of Hatchet's takes as its input: the job's own, and what our engine knows of the job beside it. */
export const envelopeSchema = v.object({
  trace_id: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  host: v.string(),
  timeout_ms: v.pipe(v.number(), v.minValue(1), v.transform(milliseconds)),
  max_attempts: v.pipe(v.number(), v.integer(), v.minValue(1)),
  priority: v.number(),
  is_gui: v.boolean(),
  /** A second run with the same key is the first one; without one of the user's own it is the trace id. */
  idempotency_key: v.string(),
  input: v.unknown(),
});
export type Envelope = v.InferOutput<typeof envelopeSchema>;

export function makeEnvelope(
  request: Omit<EnqueueRequest, 'jobId' | 'delayMs' | 'idempotencyKey' | 'backoffMs'>,
  idempotencyKey: string | undefined,
): Envelope {
  return {
    trace_id: request.traceId,
    host: request.host,
    timeout_ms: request.timeoutMs,
    max_attempts: request.maxAttempts,
    priority: request.priority,
    is_gui: request.isGui,
    idempotency_key: idempotencyKey ?? request.traceId,
    input: request.input,
  };
}

/** What tells our runs from those of other programs, and those of one namespace from another's. */
export const ownMark = (namespace: string): Record<string, string> => ({ app: `win-automation/${namespace}` });

/** What the dashboard shows beside a run, and what lists are filtered by. */
export const metadataOf = (namespace: string, type: string, { trace_id, host }: Envelope): Record<string, string> => ({
  ...ownMark(namespace),
  type,
  trace_id,
  host,
});

/** Hatchet knows three priorities, 1 to 3, of which 3 goes first; ours go from 0 to 100. */
export const hatchetPriority = (priority: number): 1 | 2 | 3 => (priority >= 50 ? 3 : priority > 0 ? 2 : 1);

/** The label that a worker has for each host that it reaches. */
export const hostLabel = (host: string): string => `host.${host}`;

/** How a failed try travels: a sentence for the dashboard, and behind it what our own commands show. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly result: unknown;
  /** Whether another try follows: Hatchet calls a run failed for a moment in between. */
  readonly isTriedAgain: boolean;
}

const failureSchema = v.object({
  code: v.string(),
  result: v.optional(v.unknown()),
  is_tried_again: v.optional(v.boolean(), false),
});
/** What the SDK makes of an error that a task throws. */
const sdkErrorSchema = v.pipe(v.string(), v.parseJson(), v.object({ message: v.string() }));
const marker = '\nwin-automation: ';

/** The message of the error that tells Hatchet of a failure. */
export function encodeFailure({ code, message, result, isTriedAgain }: Failure): string {
  return `${message}${marker}${JSON.stringify({ code, result, is_tried_again: isTriedAgain })}`;
}

/**
 * Reads what Hatchet keeps of a failure: our own, or one of the engine's.
 *
 * @param errorMessage as the REST API gives it
 */
export function decodeFailure(errorMessage: string): Failure {
  const sdk = v.safeParse(sdkErrorSchema, errorMessage);
  const text = sdk.success ? sdk.output.message : errorMessage;
  const at = text.lastIndexOf(marker);
  const ours = v.safeParse(v.pipe(v.string(), v.parseJson(), failureSchema), text.slice(at + marker.length));
  if (at !== -1 && ours.success) {
    const { code, result, is_tried_again: isTriedAgain } = ours.output;
    return { code, message: text.slice(0, at), result, isTriedAgain };
  }
  const isTimeout = /timed?.?out|exceeded/i.test(text);
  return { code: isTimeout ? 'timeout' : 'job_lost', message: text, result: undefined, isTriedAgain: false };
}
