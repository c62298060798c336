import type { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/client/client.js';
import { V1LogLineOrderByDirection } from '@hatchet-dev/typescript-sdk/v1/client/features/logs.js';
import * as v from 'valibot';
import type { Scalar } from '../../../core/errors.ts';
import { encodeLogLine } from '../../../core/logger.ts';
import type { Redact } from '../../../core/redact.ts';
import { httpStatusOf } from '../../../hatchet/failure.ts';
import { isOver, type JobLogLine, type JobRecord } from '../../engine.ts';

/** Hatchet's own limit of a message. */
const maxMessageChars = 1_000;
const collectMs = 200;
const mostMessages = 10_000;

const logsSchema = v.object({ rows: v.optional(v.array(v.object({ message: v.string() })), []) });

/**
 * The lines of a job's log, the oldest first; of at most 10,000 messages.
 *
 * @param taskId of a run with one task it is the run's own
 */
export async function listLogs(client: HatchetClient, taskId: string): Promise<string[]> {
  const orderByDirection = V1LogLineOrderByDirection.ASC;
  const found = await client.logs.list(taskId, { limit: mostMessages, orderByDirection }).catch((error: unknown) => {
    // A run that the REST API never heard of has lines that nobody can ask for.
    if (httpStatusOf(error) === 404) return {};
    throw error;
  });
  return v.parse(logsSchema, found).rows.flatMap(({ message }) => message.split('\n'));
}

/**
 * A job's log with its begin and its end, which Hatchet keeps by itself and is not sent.
 *
 * @param said what the job's last try, and those before, said meanwhile
 */
export function withBeginAndEnd(record: JobRecord, said: readonly string[], redact: Redact): JobLogLine[] {
  const { jobId, traceId, type, host, attempt, state, startedAt, endedAt, error } = record;
  const line = (date: Date, msg: string, fields: Readonly<Record<string, Scalar>>) => {
    const ids = { job_id: jobId, trace_id: traceId };
    return encodeLogLine(
      { date, level: 'info', component: 'jobs', op: 'run', msg, fields: { ...ids, ...fields } },
      redact,
    );
  };
  const lines = [...said];
  if (startedAt !== undefined) lines.unshift(line(startedAt, 'started', { type, host, attempt }));
  if (isOver(state) && endedAt !== undefined) lines.push(line(endedAt, 'ended', { state, err: error?.message }));
  return lines.map((text, i) => ({ seq: i + 1, line: text }));
}

/**
 * Sends a job's log lines to Hatchet, in their order. What comes within a moment goes as one message: a job that does little
 * would else spend its time on telling of it.
 */
export class HatchetJobLog {
  readonly #client: HatchetClient;
  readonly #taskId: string;
  readonly #retryCount: number;
  #waiting = '';
  #timer: NodeJS.Timeout | undefined;
  #sent: Promise<void> = Promise.resolve();

  constructor(client: HatchetClient, taskId: string, retryCount: number) {
    this.#client = client;
    this.#taskId = taskId;
    this.#retryCount = retryCount;
  }

  /** Takes a line, its newline included. A line that is too long for Hatchet is cut, and says so. */
  add(line: string): void {
    const text = line.trimEnd();
    const cut = text.length <= maxMessageChars ? text : `${text.slice(0, maxMessageChars - 12)} [truncated]`;
    if (this.#waiting !== '' && this.#waiting.length + 1 + cut.length > maxMessageChars) this.#send();
    this.#waiting += this.#waiting === '' ? cut : `\n${cut}`;
    this.#timer ??= setTimeout(() => this.#send(), collectMs);
  }

  /** Sends what waits, and resolves once all is there. */
  flush(): Promise<void> {
    this.#send();
    return this.#sent;
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const message = this.#waiting;
    this.#waiting = '';
    if (message === '') return;
    // The SDK tells by its logger what it could not send; a job does not fail for its log.
    this.#sent = this.#sent.then(() => this.#client.events.putLog(this.#taskId, message, undefined, this.#retryCount));
  }
}
