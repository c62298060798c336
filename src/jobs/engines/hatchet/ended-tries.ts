import type { AttemptEnd } from '../../attempt.ts';

/** A server that is killed forgets what it had just been told: this long before its trouble is seen. */
export const doubtMs = 15_000;
/** What ended around a time at which Hatchet was away is not done again within this time. */
const rememberMs = 300_000;

interface Ended {
  readonly end: AttemptEnd;
  /** Whether Hatchet may not know of it. */
  isInDoubt: boolean;
}

/**
 * How tasks ended, for as long as Hatchet may not know. A server that was away takes its workers for lost, and gives their
 * jobs out again before it hears how they went: such a try gets the same answer. Where all was well, a new try is a new one.
 */
export class EndedTries {
  readonly #ended = new Map<string, Ended>();
  #lastTroubleMs = Number.NEGATIVE_INFINITY;

  /** Takes the end of a task of which Hatchet is still to hear. */
  add(taskId: string, end: AttemptEnd): void {
    this.#ended.set(taskId, { end, isInDoubt: true });
  }

  /**
   * Hatchet says that it has heard of a task's end.
   *
   * @param wasPrompt whether it said so at once, and knew its worker
   */
  heard(taskId: string, wasPrompt: boolean): void {
    const ended = this.#ended.get(taskId);
    if (ended === undefined) return;
    ended.isInDoubt = !wasPrompt || Date.now() - this.#lastTroubleMs < rememberMs;
    const forget = () => {
      if (this.#ended.get(taskId) === ended) this.#ended.delete(taskId);
    };
    const later = (ms: number, action: () => void) => setTimeout(action, ms).unref();
    if (ended.isInDoubt) later(rememberMs, forget);
    else later(doubtMs, () => (ended.isInDoubt ? later(rememberMs, forget) : forget()));
  }

  /** Hatchet is away, or does not know of this worker: what it heard of a moment ago it may not know any more. */
  trouble(): void {
    this.#lastTroubleMs = Date.now();
    for (const ended of this.#ended.values()) ended.isInDoubt = true;
  }

  /** @returns how a task ended, where it may be given out again for want of knowing */
  endInDoubt(taskId: string): AttemptEnd | undefined {
    const ended = this.#ended.get(taskId);
    return ended?.isInDoubt ? ended.end : undefined;
  }
}
