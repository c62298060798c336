import type { LoadedConfig } from '../config/load.ts';
import { type Milliseconds, milliseconds } from '../core/duration.ts';
import { AutomationError, messageOf } from '../core/errors.ts';
import { exitCodeOf } from '../core/exit-codes.ts';
import { type Finding, wrong } from '../core/finding.ts';
import type { Logger } from '../core/logger.ts';
import type { WindowsHost } from '../windows/host.ts';

/** What is checked, in the order of the reference (context.md, "Session Supervision"). */
export const components = ['ssh', 'aloha_server', 'aloha_client', 'hatchet', 'playwright'] as const;
export type Component = (typeof components)[number];

/** What a check found. */
export interface Verdict extends Finding {
  readonly component: Component;
  readonly durationMs: Milliseconds;
}

/** What a check works with. */
export interface CheckContext {
  readonly loaded: LoadedConfig;
  readonly host: string;
  readonly logger: Logger;
  /** The host's connection, shared by all checks. */
  readonly windows: WindowsHost;
  readonly signal: AbortSignal;
}

export type Check = (context: CheckContext) => Promise<Verdict>;

/**
 * Runs what a check does and times it. What it throws becomes a failed verdict, but an interruption stays one.
 *
 * @param probe returns what it found
 */
export async function judge(
  component: Component,
  signal: AbortSignal,
  probe: () => Promise<Finding>,
): Promise<Verdict> {
  const startedMs = performance.now();
  const verdict = (finding: Finding): Verdict => {
    return { component, ...finding, durationMs: milliseconds(Math.round(performance.now() - startedMs)) };
  };
  try {
    return verdict(await probe());
  } catch (error) {
    signal.throwIfAborted();
    const isOurs = error instanceof AutomationError;
    const hints = isOurs && error.hint !== undefined ? [error.hint] : [];
    return verdict(wrong(isOurs ? error.code : 'internal', messageOf(error), hints, exitCodeOf(error)));
  }
}
