import type { WindowsHost } from './host.ts';
import { openTunnel } from './tunnel.ts';

/** Where a service of the host is reached from here, for as long as this is not disposed of. */
export interface Reached extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

/**
 * Reaches a service of a Windows host: directly, or by a tunnel through SSH to the same port on the inside.
 *
 * @param endpoint for `direct`, as seen from here; for `ssh`, as seen inside Windows
 */
export async function reach(
  transport: 'direct' | 'ssh',
  endpoint: { readonly host: string; readonly port: number },
  windows: WindowsHost,
  signal: AbortSignal,
): Promise<Reached> {
  if (transport === 'direct') return { ...endpoint, [Symbol.asyncDispose]: async () => undefined };
  const tunnel = await openTunnel(windows, endpoint, signal);
  return { host: '127.0.0.1', port: tunnel.port, [Symbol.asyncDispose]: () => tunnel[Symbol.asyncDispose]() };
}
