import * as v from 'valibot';
import type { HostConfig } from '../config/sections.ts';
import type { Milliseconds } from '../core/duration.ts';
import { AutomationError } from '../core/errors.ts';
import { get, type HttpAnswer, post } from '../http/request.ts';
import { endpointOf } from '../http/tcp.ts';
import type { WindowsHost } from '../windows/host.ts';
import { reach } from '../windows/reach.ts';

const answerSchema = v.object({ status: v.picklist(['success', 'error']), message: v.string() });

/** What `POST /run_task` takes. All five go along every time: what is left out keeps the previous request's value. */
export interface AlohaTask {
  readonly task: string;
  readonly selected_screen: number;
  /** The name of a taught trace on Windows; no correlation id. */
  readonly trace_id: string;
  /** The Aloha server as the client inside Windows sees it. */
  readonly server_url: string;
  readonly max_steps: number;
}

export interface AlohaOptions {
  readonly aloha: HostConfig['aloha'];
  /** One request: connection, answer and body together. */
  readonly timeoutMs: Milliseconds;
  readonly attempts: number;
  readonly signal: AbortSignal;
}

/** The HTTP API of Aloha on one host. Dispose of it to close what it opened. */
export interface AlohaApi extends AsyncDisposable {
  readonly serverUrl: string;
  readonly clientUrl: string;
  /** `GET /` of the server. */
  askServer(): Promise<HttpAnswer>;
  /** `GET /run_task` of the client, which changes nothing. */
  askClient(): Promise<HttpAnswer>;
  /** Starts a task. @returns false where one is running already @throws AutomationError `http_*`, `timeout` */
  start(task: AlohaTask): Promise<boolean>;
  /** Asks the running task to stop. @returns false where none is running */
  stop(signal: AbortSignal): Promise<boolean>;
}

/** Reaches Aloha's server and client on a host, as `aloha.transport` says. */
export async function openAloha(host: WindowsHost, options: AlohaOptions): Promise<AlohaApi> {
  const { aloha, timeoutMs, attempts, signal } = options;
  const reached = await Promise.all(
    [aloha.server_url, aloha.client_url].map((url) => reach(aloha.transport, endpointOf(url), host, signal)),
  );
  const [serverUrl = '', clientUrl = ''] = [aloha.server_url, aloha.client_url].map((url, i) => {
    const at = reached[i];
    return aloha.transport === 'direct' || at === undefined ? url : `http://127.0.0.1:${at.port}`;
  });
  const base = { timeoutMs, attempts, signal };
  return {
    serverUrl,
    clientUrl,
    askServer: () => get({ ...base, url: `${serverUrl}/` }),
    askClient: () => get({ ...base, url: `${clientUrl}/run_task` }),
    start: async (task) => {
      const url = `${clientUrl}/run_task`;
      signal.throwIfAborted();
      // Not cut short by the caller's signal, only by its own deadline: given up half way, nobody would know whether the
      // task was taken, and nobody would stop it.
      const answer = await post({ ...base, signal: new AbortController().signal, url }, task);
      if (answer.status === 409) return false;
      expectSuccess(answer, url);
      return true;
    },
    stop: async (stopSignal) => {
      const url = `${clientUrl}/stop`;
      const answer = await post({ ...base, signal: stopSignal, url }, {});
      if (answer.status === 400) return false;
      expectSuccess(answer, url);
      return true;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(reached.map((one) => one[Symbol.asyncDispose]()));
    },
  };
}

function expectSuccess({ status, body }: HttpAnswer, url: string): void {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), answerSchema), body);
  if (status === 200 && parsed.success && parsed.output.status === 'success') return;
  const said = parsed.success ? parsed.output.message : body.slice(0, 200);
  throw new AutomationError('http_unexpected', `POST ${url} answers ${status}: ${said}`, {
    hint: 'is it the Aloha client that listens there? win-automation aloha health tells',
  });
}
