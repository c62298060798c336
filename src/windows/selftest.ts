import { messageOf } from '../core/errors.ts';
import type { WindowsHost } from './host.ts';

export interface SelftestContext {
  /** Keeps one PowerShell for all scripts. */
  readonly warm: WindowsHost;
  /** Starts one for each. */
  readonly cold: WindowsHost;
  readonly signal: AbortSignal;
}

/** One thing that must hold on a real host. */
export interface Selftest {
  /** A sentence of the contract. */
  readonly name: string;
  /** Does it and returns what was seen. Throws where it does not hold, `SkippedError` where it can't be tried. */
  run(context: SelftestContext): Promise<string>;
}

export interface SelftestResult {
  readonly name: string;
  readonly state: 'ok' | 'failed' | 'skipped';
  readonly durationMs: number;
  readonly detail: string;
}

/** Says that a selftest can't be tried on this host now, and why. */
export class SkippedError extends Error {}

/**
 * Tries one after another on a host.
 *
 * @param report told each result as it comes
 * @throws AutomationError if the host can't be reached at all, or the signal's reason
 */
export async function runSelftest(
  selftests: readonly Selftest[],
  context: SelftestContext,
  report: (result: SelftestResult) => Promise<void>,
): Promise<void> {
  await context.cold.connection(context.signal);
  for (const { name, run } of selftests) {
    const startedMs = performance.now();
    const finish = (state: SelftestResult['state'], detail: string) =>
      report({ name, state, durationMs: Math.round(performance.now() - startedMs), detail });
    try {
      await finish('ok', await run(context));
    } catch (error) {
      context.signal.throwIfAborted();
      await finish(error instanceof SkippedError ? 'skipped' : 'failed', messageOf(error));
    }
  }
}
