import { isTimeout } from '../core/deadline.ts';
import type { Milliseconds } from '../core/duration.ts';
import { exitCodes } from '../core/exit-codes.ts';
import { type Finding, wrong } from '../core/finding.ts';
import { endpointOf, probeTcp } from './tcp.ts';

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
  const detail = `${host}:${port} takes connections, but HTTP hangs: the Windows firewall is the likely cause`;
  return wrong('http_hangs', detail, ['on Windows:', ...rules], exitCodes.timeout);
}
