import { createConnection } from 'node:net';
import { Deadline } from '../core/deadline.ts';
import type { Milliseconds } from '../core/duration.ts';
import { AutomationError, messageOf } from '../core/errors.ts';

/**
 * Opens a TCP connection and closes it again.
 *
 * @throws AutomationError `http_unreachable` if it is refused or the name is unknown, `timeout` if nobody answers
 */
export async function probeTcp(
  host: string,
  port: number,
  timeoutMs: Milliseconds,
  signal: AbortSignal,
): Promise<void> {
  using deadline = new Deadline(timeoutMs, `connecting to ${host}:${port}`, signal);
  await new Promise<void>((resolve, reject) => {
    const socket = createConnection({ host, port });
    const onAbort = () => {
      socket.destroy();
      reject(deadline.signal.reason);
    };
    deadline.signal.addEventListener('abort', onAbort, { once: true });
    socket.once('connect', () => {
      deadline.signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve();
    });
    socket.once('error', (error) => {
      const message = `${host}:${port} can't be reached: ${messageOf(error)}`;
      reject(new AutomationError('http_unreachable', message, { isTransient: true, cause: error }));
    });
  });
}

/** Host and port of an http or https address. */
export function endpointOf(url: string): { host: string; port: number } {
  const { hostname, port, protocol } = new URL(url);
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
  };
}
