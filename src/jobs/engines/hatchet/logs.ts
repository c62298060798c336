import type { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/client/client.js';
import { V1LogLineOrderByDirection } from '@hatchet-dev/typescript-sdk/v1/client/features/logs.js';
import * as v from 'valibot';
import type { JobLogLine } from '../../engine.ts';

/** Hatchet's own limit of a line. */
const maxLineChars = 1_000;
const mostLines = 10_000;

const logsSchema = v.object({ rows: v.optional(v.array(v.object({ message: v.string() })), []) });

/**
 * The lines of a job's log, the oldest first; at most 10,000.
 *
 * @param taskId of a run with one task it is the run's own
 */
export async function listLogs(client: HatchetClient, taskId: string): Promise<JobLogLine[]> {
  const found = await client.logs.list(taskId, {
    limit: mostLines,
    orderByDirection: V1LogLineOrderByDirection.ASC,
  });
  return v.parse(logsSchema, found).rows.map(({ message }, i) => ({ seq: i + 1, line: message }));
}

/** Sends a job's log lines to Hatchet, in their order. */
export class HatchetJobLog {
  readonly #client: HatchetClient;
  readonly #taskId: string;
  readonly #retryCount: number;
  #sent: Promise<void> = Promise.resolve();

  constructor(client: HatchetClient, taskId: string, retryCount: number) {
    this.#client = client;
    this.#taskId = taskId;
    this.#retryCount = retryCount;
  }

  /** Takes a line, its newline included. A line that is too long for Hatchet is cut, and says so. */
  add(line: string): void {
    const text = line.trimEnd();
    const cut = text.length <= maxLineChars ? text : `${text.slice(0, maxLineChars - 12)} [truncated]`;
    // The SDK tells by its logger what it could not send; a job does not fail for its log.
    this.#sent = this.#sent.then(() => this.#client.events.putLog(this.#taskId, cut, undefined, this.#retryCount));
  }

  /** Waits until what was added is there. */
  flush(): Promise<void> {
    return this.#sent;
  }
}
