import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { LabState } from './state.ts';

const guestServerPort = 7_887;
const guestClientPort = 7_888;

/** The Aloha server and client, as a person finds them from outside: behaviour and words are those of ShowUI-Aloha. */
export interface LabAloha {
  readonly serverUrl: string;
  readonly clientUrl: string;
  close(): Promise<void>;
}

/** Starts both on free loopback ports. */
export async function startAloha(state: LabState): Promise<LabAloha> {
  const server = await listen(guarded(state, guestServerPort, 'aloha-server-dead', serveServer));
  const client = await listen(guarded(state, guestClientPort, 'aloha-client-dead', serveClient(new AlohaRun())));
  state.listeners.set(guestServerPort, server.port);
  state.listeners.set(guestClientPort, client.port);
  return {
    serverUrl: `http://127.0.0.1:${server.port}`,
    clientUrl: `http://127.0.0.1:${client.port}`,
    close: async () => {
      await Promise.all([server.close(), client.close()]);
    },
  };
}

type Route = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** What stands between a caller and the program: a firewall that swallows, a process that is gone or hangs. */
function guarded(
  state: LabState,
  guestPort: number,
  dead: 'aloha-server-dead' | 'aloha-client-dead',
  route: Route,
): Server {
  return createServer((request, response) => {
    if (state.faults.has(dead)) return void request.socket.resetAndDestroy();
    // TCP connects, and then nothing: the forwarder answers where the firewall swallows (context.md, "Common issue").
    if (!state.isAllowed(guestPort) || state.faults.has('aloha-hang')) return;
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8');
    });
    request.on('end', () => route(request, response, body));
  });
}

const serveServer: Route = (request, response) => {
  if (request.method === 'GET' && request.url === '/') return void response.end('Aloha API server is running');
  if (request.method === 'POST' && request.url === '/generate_action') {
    return json(response, 400, { error: 'Missing required fields' });
  }
  return notFound(response);
};

/** One run at a time. Fields left out keep the previous request's value, as in the original. */
class AlohaRun {
  #timer: NodeJS.Timeout | undefined;
  #steps = 0;

  get isOn(): boolean {
    return this.#timer !== undefined;
  }

  start(maxSteps: number | undefined): void {
    this.#steps = maxSteps ?? this.#steps;
    // max_steps = N runs N - 1 steps, a fifth of a second each here.
    this.#timer = setTimeout(() => this.stop(), Math.max(0, this.#steps - 1) * 200);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

const serveClient =
  (run: AlohaRun): Route =>
  (request, response, body) => {
    const isPost = request.method === 'POST';
    if (request.url === '/run_task' && isPost) return runTask(run, response, body);
    if (request.url === '/stop' && isPost) {
      if (!run.isOn) return json(response, 400, { status: 'error', message: 'No active task to stop' });
      run.stop();
      return json(response, 200, { status: 'success', message: 'Stop signal sent' });
    }
    if (request.url === '/run_task' || request.url === '/stop') {
      return void response.writeHead(405, { allow: 'POST, OPTIONS' }).end('Method Not Allowed');
    }
    return notFound(response);
  };

function runTask(run: AlohaRun, response: ServerResponse, body: string): void {
  const request = parse(body);
  if (run.isOn) json(response, 409, { status: 'error', message: 'A task is already running' });
  else if (typeof request?.['task'] !== 'string') {
    json(response, 400, { status: 'error', message: 'Missing required field(s): task' });
  } else {
    run.start(typeof request['max_steps'] === 'number' ? request['max_steps'] : undefined);
    json(response, 200, { status: 'success', message: 'Task started', task: request['task'] });
  }
}

function parse(body: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function json(response: ServerResponse, status: number, document: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document));
}

const notFound = (response: ServerResponse) => void response.writeHead(404).end('Not Found');

function listen(server: Server): Promise<{ port: number; close: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      const close = () =>
        new Promise<void>((closed) => {
          server.close(() => closed());
          server.closeAllConnections();
        });
      resolve({ port, close });
    });
  });
}
