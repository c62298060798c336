import { setTimeout as sleepFor } from 'node:timers/promises';
import { formatDuration, type Milliseconds } from './duration.ts';
import { AutomationError } from './errors.ts';

/**
 * A signal that ends when `parent` does or when the time is over, whichever comes first. Its reason is the parent's,
 * or an `AutomationError` with the code `timeout`.
 *
 * @param what completes the sentence "… did not end within 10s"
 */
export class Deadline implements Disposable {
  readonly signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;

  constructor(timeoutMs: Milliseconds, what: string, parent?: AbortSignal) {
    const own = new AbortController();
    this.#timer = setTimeout(() => {
      own.abort(new AutomationError('timeout', `${what} did not end within ${formatDuration(timeoutMs)}`));
    }, timeoutMs);
    this.signal = parent === undefined ? own.signal : AbortSignal.any([parent, own.signal]);
  }

  /** Stops the clock; call it when the work is over, so that nothing keeps the process waiting. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** Whether an error is that a deadline passed. */
export function isTimeout(error: unknown): boolean {
  return error instanceof AutomationError && error.code === 'timeout';
}

/** Waits for `ms`; rejects with the signal's reason as soon as it is aborted. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleepFor(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/**
 * Settles as `work` does, or rejects with the signal's reason once it is aborted. The work itself goes on: whoever
 * starts it must stop it by the same signal.
 */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
