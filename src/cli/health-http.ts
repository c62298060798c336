import { createServer } from 'node:http';
import { AutomationError, messageOf } from '../core/errors.ts';

/** What a long-running command tells of itself over HTTP. */
export interface HealthSource {
  isReady(): boolean;
  /** Prometheus text (prometheus.io, "Exposition formats"). */
  metrics(): string;
}

/**
 * Serves `/live`, `/ready` and `/metrics` (Prometheus text).
 *
 * @param address `127.0.0.1:9464`
 * @throws AutomationError `usage` for a bad address, `io_failed` where it can't be listened on
 */
export async function serveHealth(address: string, source: HealthSource): Promise<AsyncDisposable> {
  const found = /^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(address);
  if (found === null)
    throw new AutomationError('usage', `--listen ${address}: give ADDRESS:PORT, such as 127.0.0.1:9464`);
  const [, host = '', port = ''] = found;
  const server = createServer((request, response) => {
    const answer = (status: number, text: string) =>
      response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4' }).end(text);
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'Method Not Allowed\n');
    if (request.url === '/live') return answer(200, 'live\n');
    if (request.url === '/ready') return source.isReady() ? answer(200, 'ready\n') : answer(503, 'not ready\n');
    if (request.url !== '/metrics') return answer(404, 'Not Found\n');
    return answer(200, source.metrics());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new AutomationError('io_failed', `--listen ${address}: ${messageOf(error)}`)),
    );
    server.listen(Number(port), host.replace(/^\[|\]$/g, ''), resolve);
  });
  return {
    [Symbol.asyncDispose]: () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
