import { exitCodes } from './exit-codes.ts';

/** What a probe found. */
export interface Finding {
  readonly state: 'ok' | 'degraded' | 'failed' | 'skipped' | 'unknown';
  /** Stable, for scripts: `connected`, `http_hangs`, `ssh_unreachable`, … */
  readonly reason: string;
  /** What was measured, for a person. */
  readonly detail: string;
  /** What to do next, a line each. */
  readonly hints: readonly string[];
  /** What this finding alone would end a command with. */
  readonly exitCode: number;
  /** Versions that were seen on the way, by the name that `doctor` has for them. */
  readonly versions?: Readonly<Record<string, string>>;
}

/** A finding that all is well. */
export function found(reason: string, detail: string, versions: Finding['versions'] = {}): Finding {
  return { state: 'ok', reason, detail, hints: [], exitCode: exitCodes.success, versions };
}

/** A finding that something is wrong. */
export function wrong(
  reason: string,
  detail: string,
  hints: readonly string[],
  exitCode: number = exitCodes.failure,
): Finding {
  return { state: 'failed', reason, detail, hints, exitCode };
}

/** A finding that something was not looked at, and why. */
export function skipped(reason: string, detail: string, hints: readonly string[] = []): Finding {
  return { state: 'skipped', reason, detail, hints, exitCode: exitCodes.success };
}

/** A finding that it works, but not as it should. */
export function degraded(reason: string, detail: string, hints: readonly string[]): Finding {
  return { state: 'degraded', reason, detail, hints, exitCode: exitCodes.failure };
}

/** A finding that nothing can be told while something else is wrong. */
export function unknown(reason: string, detail: string): Finding {
  return { state: 'unknown', reason, detail, hints: [], exitCode: exitCodes.success };
}
