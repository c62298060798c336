import type { LoadedConfig } from '../config/load.ts';
import { isTimeout } from '../core/deadline.ts';
import { type Milliseconds, milliseconds } from '../core/duration.ts';
import { AutomationError, messageOf, type Scalar } from '../core/errors.ts';
import { exitCodeOf, exitCodes } from '../core/exit-codes.ts';
import type { Logger } from '../core/logger.ts';
import { endpointOf, probeTcp } from '../http/tcp.ts';

/** What is checked, in the order of the reference (context.md, "Session Supervision"). */
export type Component = 'ssh' | 'aloha_server' | 'aloha_client' | 'hatchet' | 'playwright';

/** What a check found. */
export interface Verdict {
  readonly component: Component;
  readonly state: 'ok' | 'failed' | 'skipped';
  /** Stable, for scripts: `connected`, `http_hangs`, `ssh_unreachable`, … */
  readonly reason: string;
  /** What was measured, for a person. */
  readonly detail: string;
  /** What to do next, a line each. */
  readonly hints: readonly string[];
  readonly durationMs: Milliseconds;
  /** What this verdict alone would end a command with. */
  readonly exitCode: number;
}

/** What a check works with. */
export interface CheckContext {
  readonly loaded: LoadedConfig;
  readonly host: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export type Check = (context: CheckContext) => Promise<Verdict>;

type Finding = Pick<Verdict, 'reason' | 'detail'> & Partial<Pick<Verdict, 'state' | 'hints' | 'exitCode'>>;

/**
 * Runs what a check does and times it. What it throws becomes a failed verdict, but an interruption stays one.
 *
 * @param probe returns what it found; `state` is `ok` unless it says otherwise
 */
export async function judge(
  component: Component,
  signal: AbortSignal,
  probe: () => Promise<Finding>,
): Promise<Verdict> {
  const startedMs = performance.now();
  const elapsed = () => milliseconds(Math.round(performance.now() - startedMs));
  try {
    const found = await probe();
    const exitCode = found.state === 'failed' ? exitCodes.failure : exitCodes.success;
    return { component, state: 'ok', hints: [], exitCode, ...found, durationMs: elapsed() };
  } catch (error) {
    signal.throwIfAborted();
    const isOurs = error instanceof AutomationError;
    const hints = isOurs && error.hint !== undefined ? [error.hint] : [];
    const reason = isOurs ? error.code : 'internal';
    const detail = messageOf(error);
    return { component, state: 'failed', reason, detail, hints, exitCode: exitCodeOf(error), durationMs: elapsed() };
  }
}

/**
 * Tells a dead port from a firewall: where HTTP gave no answer in time but TCP connects, the Windows firewall is the
 * likely cause (context.md, "Initial defaults").
 *
 * @param error what the HTTP probe threw
 * @param rules what to type on Windows
 * @throws the error itself, where it is anything else
 */
export async function explainHang(
  error: unknown,
  url: string,
  rules: readonly string[],
  timeoutMs: Milliseconds,
  signal: AbortSignal,
): Promise<Finding> {
  if (!isTimeout(error) || signal.aborted) throw error;
  const { host, port } = endpointOf(url);
  await probeTcp(host, port, timeoutMs, signal);
  return {
    state: 'failed',
    reason: 'http_hangs',
    detail: `${host}:${port} takes connections, but HTTP hangs: the Windows firewall is the likely cause`,
    hints: ['on Windows:', ...rules],
    exitCode: exitCodes.timeout,
  };
}

/** Words of a verdict that fit into a log line or a payload. */
export function verdictWords({ component, state, reason, detail, durationMs }: Verdict): Record<string, Scalar> {
  return { check: component, state, reason, duration_ms: durationMs, detail };
}
