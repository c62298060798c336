import { messageOf } from '../../../core/errors.ts';
import type { Claims } from './claims.ts';

const flushEveryMs = 200;

/** Gathers the log lines of jobs and writes them together: a transaction a line would cost an fsync each. */
export class JobLogs {
  readonly #claims: Claims;
  readonly #onLost: (reason: string) => void;
  #waiting: { jobId: string; line: string }[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param onLost told why lines could not be kept */
  constructor(claims: Claims, onLost: (reason: string) => void) {
    this.#claims = claims;
    this.#onLost = onLost;
  }

  add(jobId: string, line: string): void {
    this.#waiting.push({ jobId, line: line.trimEnd() });
    this.#timer ??= setTimeout(() => this.flush(), flushEveryMs);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#waiting.splice(0);
    if (lines.length === 0) return;
    try {
      this.#claims.log(lines);
    } catch (error) {
      this.#onLost(messageOf(error));
    }
  }
}
