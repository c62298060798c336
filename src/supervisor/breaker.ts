/** One component's breaker on one host, as it is kept between passes. */
export interface Breaker {
  /** Failed passes in a row. */
  readonly failures: number;
  /** When it opened, or its last trial failed, in wall-clock milliseconds; null while it is closed. */
  readonly openedMs: number | null;
}

/** `open` holds remedies back; `half_open` lets one trial through. Checks always go on. */
export type BreakerMode = 'closed' | 'open' | 'half_open';

export interface BreakerRules {
  /** Failed passes in a row that open it. */
  readonly threshold: number;
  readonly cooldownMs: number;
}

export const closedBreaker: Breaker = { failures: 0, openedMs: null };

/** What a breaker lets through now (context.md, "Circuit Breaker"). */
export function modeOf({ openedMs }: Breaker, { cooldownMs }: BreakerRules, nowMs: number): BreakerMode {
  if (openedMs === null) return 'closed';
  // A wall clock that went back must not hold remedies back for ever.
  const sinceMs = nowMs - openedMs;
  return sinceMs >= cooldownMs || sinceMs < 0 ? 'half_open' : 'open';
}

/** The breaker after a pass. @param isOk how the component was at the end of the pass, remedies included */
export function afterPass(before: Breaker, isOk: boolean, rules: BreakerRules, nowMs: number): Breaker {
  if (isOk) return closedBreaker;
  const failures = before.failures + 1;
  const mode = modeOf(before, rules, nowMs);
  if (mode === 'open') return { failures, openedMs: before.openedMs };
  return { failures, openedMs: mode === 'half_open' || failures >= rules.threshold ? nowMs : null };
}
