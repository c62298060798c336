import { sleep } from './deadline.ts';
import { AutomationError } from './errors.ts';

const firstWaitMs = 500;

export interface RetryOptions {
  /** How often to try in all, the first time included. */
  readonly attempts: number;
  readonly signal: AbortSignal;
  /** Which errors are worth another try. Default: an `AutomationError` that says `isTransient`. */
  readonly isRetryable?: (error: unknown) => boolean;
  /** Told before each wait. */
  readonly onRetry?: (retry: { error: unknown; attempt: number; waitMs: number }) => void;
  /** The wait itself; tests put a clock of their own here. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The wait after the given failed attempt (1, 2, …): 500 ms, 1 s, 2 s, … (context.md, "Retry Policy"). */
export function backoffMs(attempt: number): number {
  return firstWaitMs * 2 ** (attempt - 1);
}

const isTransient = (error: unknown) => error instanceof AutomationError && error.isTransient;

/**
 * Runs `operation` until it succeeds, fails for good, or has been tried `attempts` times; then its last error is
 * thrown. An aborted signal ends the wait at once with the signal's reason.
 *
 * @param operation gets the number of the attempt, from 1
 * @throws RangeError if `attempts` is not a whole number of 1 or more
 */
export async function retry<T>(operation: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts, signal, isRetryable = isTransient, onRetry, wait = sleep } = options;
  if (!Number.isInteger(attempts) || attempts < 1) throw new RangeError(`attempts must be 1 or more, not ${attempts}`);
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await operation(attempt);
    } catch (error) {
      if (signal.aborted || attempt >= attempts || !isRetryable(error)) throw error;
      const waitMs = backoffMs(attempt);
      onRetry?.({ error, attempt, waitMs });
      await wait(waitMs, signal);
    }
  }
}
