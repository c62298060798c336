import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import * as v from 'valibot';
import { LabAlohaRuns, requestSchema } from './aloha-run.ts';
import { listenOnLoopback } from './listen.ts';
import type { LabState } from './state.ts';

const guestServerPort = 7_887;
const guestClientPort = 7_888;

const actionSchema = v.looseObject({ screenshot: v.string(), query: v.string() });

/** The Aloha server and client, as a person finds them from outside: behaviour and words are those of ShowUI-Aloha. */
export interface LabAloha {
  readonly serverUrl: string;
  readonly clientUrl: string;
  readonly runs: LabAlohaRuns;
  close(): Promise<void>;
}

/** Starts both, each inside Windows and on a forwarded port of its own. */
export async function startAloha(state: LabState): Promise<LabAloha> {
  const runs = new LabAlohaRuns(state);
  const open = async (guestPort: number, dead: DeadFault, route: Route) => {
    const answer = guarded(state, dead, route);
    const inside = await listen(createServer(answer));
    state.listeners.set(guestPort, inside.port);
    // The host's forwarded port always takes connections, as QEMU's and Docker's do; where the Windows firewall swallows,
    // nothing comes back (context.md, "Common issue").
    const forwarded = await listen(
      createServer((request, response) => {
        if (state.isAllowed(guestPort)) answer(request, response);
      }),
    );
    const close = () => Promise.all([forwarded.close(), inside.close()]);
    return { url: `http://127.0.0.1:${forwarded.port}`, close };
  };
  const server = await open(guestServerPort, 'aloha-server-dead', serveServer);
  const client = await open(guestClientPort, 'aloha-client-dead', serveClient(runs));
  return {
    serverUrl: server.url,
    clientUrl: client.url,
    runs,
    close: async () => {
      await Promise.all([server.close(), client.close()]);
    },
  };
}

const listen = (server: Server) => listenOnLoopback(server, () => server.closeAllConnections());

type DeadFault = 'aloha-server-dead' | 'aloha-client-dead';
type Route = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** What may be wrong with the program: its process is gone, or hangs. */
const guarded =
  (state: LabState, dead: DeadFault, route: Route) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    if (state.faults.has(dead)) return void request.socket.resetAndDestroy();
    if (state.faults.has('aloha-hang')) return;
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8');
    });
    request.on('end', () => route(request, response, body));
  };

const serveServer: Route = (request, response, body) => {
  if (request.method === 'GET' && request.url === '/') return void response.end('Aloha API server is running');
  if (request.method === 'POST' && request.url === '/generate_action') return generateAction(response, body);
  return notFound(response);
};

const serveClient =
  (runs: LabAlohaRuns): Route =>
  (request, response, body) => {
    const isPost = request.method === 'POST';
    if (request.url === '/run_task' && isPost) return runTask(runs, response, body);
    if (request.url === '/stop' && isPost) {
      if (!runs.isOn) return json(response, 400, { status: 'error', message: 'No active task to stop' });
      runs.stop();
      return json(response, 200, { status: 'success', message: 'Stop signal sent' });
    }
    if (request.url === '/run_task' || request.url === '/stop') {
      return void response.writeHead(405, { allow: 'POST, OPTIONS' }).end('Method Not Allowed');
    }
    return notFound(response);
  };

function runTask(runs: LabAlohaRuns, response: ServerResponse, body: string): void {
  const request = parse(requestSchema, body);
  if (request === undefined) {
    json(response, 400, { status: 'error', message: 'Missing required field(s): task' });
  } else if (runs.isOn) json(response, 409, { status: 'error', message: 'A task is already running' });
  else {
    runs.start(request);
    json(response, 200, { status: 'success', message: 'Task started', task: request.task });
  }
}

function generateAction(response: ServerResponse, body: string): void {
  const request = parse(actionSchema, body);
  if (request === undefined) json(response, 400, { error: 'Missing required fields: screenshot, query' });
  else if (!/^[A-Za-z0-9+/]+=*$/.test(request.screenshot)) {
    response
      .writeHead(500, { 'content-type': 'text/html' })
      .end('<!doctype html><title>500 Internal Server Error</title>');
  } else {
    // Without an API key it says success all the same.
    json(response, 200, { status: 'success', generated_action: { content: { action: 'ERROR' } } });
  }
}

function parse<T>(schema: v.GenericSchema<unknown, T>, body: string): T | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), body);
  return parsed.success ? parsed.output : undefined;
}

function json(response: ServerResponse, status: number, document: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document));
}

const notFound = (response: ServerResponse) => void response.writeHead(404).end('Not Found');
