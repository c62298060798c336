import { ofetch } from 'ofetch';
import { Deadline } from '../core/deadline.ts';
import { type Milliseconds, milliseconds } from '../core/duration.ts';
import { AutomationError, messageOf, systemCodeOf } from '../core/errors.ts';
import { retry } from '../core/retry.ts';
import { endpointOf, probeTcp } from './tcp.ts';

const maxBodyBytes = 8 * 1024 * 1024;
const transientStatuses: readonly number[] = [502, 503, 504];

export interface HttpRequest {
  readonly url: string;
  /** One try: connection, answer and body together. */
  readonly timeoutMs: Milliseconds;
  /** Tries in all; 502, 503, 504 and network errors are tried again (context.md, "Retry Policy"). */
  readonly attempts: number;
  /** Who an https:// server is trusted by, as PEM; without it, by whom the system trusts. */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The body as text, at most 8 MiB. */
  readonly body: string;
  readonly durationMs: Milliseconds;
}

/**
 * Sends a GET request. Any status is an answer, 4xx and 5xx too.
 *
 * @throws AutomationError `http_unreachable`, `http_unexpected` (a body over 8 MiB), `timeout`
 */
export function get(request: HttpRequest): Promise<HttpAnswer> {
  let last: HttpAnswer | undefined;
  const once = async () => {
    last = await sendOnce('GET', request);
    if (!transientStatuses.includes(last.status)) return last;
    throw new AutomationError('http_unexpected', `${request.url} answers ${last.status}`, { isTransient: true });
  };
  return retry(once, { attempts: request.attempts, signal: request.signal }).catch((error: unknown) => {
    // The last of several 503s is still an answer, and tells more than an error could.
    if (last !== undefined && error instanceof AutomationError && error.code === 'http_unexpected') return last;
    throw error;
  });
}

/**
 * Sends a JSON document by POST, once: what may have been taken is not sent twice. Only reaching the server is tried again.
 *
 * @throws AutomationError `http_unreachable`, `http_unexpected` (a body over 8 MiB), `timeout`
 */
export async function post(request: HttpRequest, document: unknown): Promise<HttpAnswer> {
  const { url, timeoutMs, attempts, signal } = request;
  const { host, port } = endpointOf(url);
  await retry(() => probeTcp(host, port, timeoutMs, signal), { attempts, signal });
  return sendOnce('POST', request, document);
}

async function sendOnce(method: 'GET' | 'POST', request: HttpRequest, document?: unknown): Promise<HttpAnswer> {
  const { url, timeoutMs, ca, signal } = request;
  using deadline = new Deadline(timeoutMs, `${method} ${url}`, signal);
  const startedMs = performance.now();
  try {
    const response = await ofetch.raw(url, {
      method,
      ...(document === undefined ? {} : { body: document as Record<string, unknown> }),
      // A connection that the server closed meanwhile must not make the runtime send a request again.
      ...(method === 'POST' ? { keepalive: false } : {}),
      // Bun's way; elsewhere only the system's authorities are trusted.
      ...(ca === undefined ? {} : { tls: { ca } }),
      responseType: 'stream',
      ignoreResponseError: true,
      redirect: 'manual',
      retry: 0,
      signal: deadline.signal,
    });
    const isSmall = Number(response.headers.get('content-length') ?? Number.NaN) <= maxBodyBytes;
    const body = isSmall ? await response.text() : await readBody(response.body ?? undefined, url);
    const durationMs = milliseconds(Math.round(performance.now() - startedMs));
    return { status: response.status, headers: response.headers, body, durationMs };
  } catch (error) {
    deadline.signal.throwIfAborted();
    if (error instanceof AutomationError) throw error;
    throw new AutomationError('http_unreachable', `${url} can't be reached: ${reasonOf(error)}`, {
      isTransient: true,
      cause: error,
    });
  }
}

/** The system's code, where the runtime gives it: its own sentence differs from one runtime to the next. */
function reasonOf(error: unknown): string {
  const causes = [error];
  for (let cause = error; cause instanceof Error && cause.cause !== undefined; cause = cause.cause)
    causes.push(cause.cause);
  const code = causes.map(systemCodeOf).findLast((found) => found !== undefined);
  return code ?? messageOf(causes.at(-1));
}

async function readBody(stream: ReadableStream<Uint8Array> | undefined, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream ?? []) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBodyBytes) throw new AutomationError('http_unexpected', `${url}: over ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
