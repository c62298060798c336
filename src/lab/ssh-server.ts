import { createConnection, createServer } from 'node:net';
import type { Readable } from 'node:stream';
import type { AuthContext, Connection, ParsedKey, ServerChannel } from 'ssh2';
import ssh2 from 'ssh2';
import { sleep } from '../core/deadline.ts';
import { LineSplitter } from '../core/lines.ts';
import { writeTogether } from '../windows/write-together.ts';
import { makeKeyPair } from './keys.ts';
import { type Listening, listenOnLoopback } from './listen.ts';
import { serveSftp } from './sftp-server.ts';
import { runCommandLine } from './shell.ts';
import type { LabProcess, LabState } from './state.ts';

const slowMs = 300;
const resetAfterMs = 150;

export interface LabSshServer extends Listening {
  /** The host key's public half, as a known_hosts line has it. */
  readonly publicKey: string;
}

export interface LabSshOptions {
  readonly state: LabState;
  /** The one key that may log in. */
  readonly allowedKey: ParsedKey;
  /** Listens here again after the host key changed; 0 is any free port. */
  readonly port: number;
  readonly note: (text: string) => void;
}

/** Starts the SSH side of the simulated Windows on loopback, with a host key of its own. */
export async function startSshServer(options: LabSshOptions): Promise<LabSshServer> {
  const { state } = options;
  const hostKey = makeKeyPair();
  const connections = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [hostKey.private], ident: 'OpenSSH_for_Windows_9.5' }, (connection) => {
    connections.add(connection);
    const sshd = state.spawn(4, 'sshd.exe', 'C:\\Windows\\System32\\OpenSSH\\sshd.exe -z');
    connection.on('error', () => undefined);
    connection.on('close', () => {
      connections.delete(connection);
      // As on Windows: what a connection started outlives it, unless somebody ends it.
      state.exit(sshd);
    });
    connection.on('authentication', (context) => authenticate(context, options.allowedKey));
    connection.on('ready', () => serve(connection, sshd, options));
  });
  const listener = createServer((socket) => {
    writeTogether(socket);
    // The types of ssh2 are of another Node than those of Deno.
    server.injectSocket(socket as Parameters<typeof server.injectSocket>[0]);
  });
  const cutAll = () => {
    for (const connection of connections) connection.end();
  };
  const listening = await listenOnLoopback(listener, cutAll, options.port);
  return { ...listening, publicKey: hostKey.public.split(' ').slice(0, 2).join(' ') };
}

function authenticate(context: AuthContext, allowedKey: ParsedKey): void {
  if (isAllowed(context, allowedKey)) context.accept();
  else context.reject(['publickey']);
}

/** First the client asks whether a key would do, then it signs with it (RFC 4252, section 7). */
function isAllowed(context: AuthContext, allowedKey: ParsedKey): boolean {
  if (context.method !== 'publickey' || !context.key.data.equals(allowedKey.getPublicSSH())) return false;
  if (context.signature === undefined || context.blob === undefined) return true;
  return allowedKey.verify(context.blob, context.signature, context.hashAlgo) === true;
}

function serve(connection: Connection, sshd: LabProcess, options: LabSshOptions): void {
  const { state } = options;
  connection.on('session', (accept) => {
    const session = accept();
    session.on('exec', (acceptExec, _reject, { command }) => {
      const channel = acceptExec();
      if (state.faults.has('ssh-reset')) {
        setTimeout(() => cut(connection), resetAfterMs);
      }
      void runExec(channel, command, sshd, options);
    });
    session.on('sftp', (acceptSftp) => serveSftp(acceptSftp(), state));
  });
  connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
    const port = ['127.0.0.1', 'localhost'].includes(destIP) ? state.listeners.get(destPort) : undefined;
    if (port === undefined) return reject();
    const channel = accept();
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.on('error', () => channel.close());
    channel.on('error', () => socket.destroy());
    return void channel.pipe(socket).pipe(channel);
  });
}

/** Cuts the TCP connection as a network does, without a word. */
function cut(connection: Connection): void {
  const { _sock } = connection as unknown as { readonly _sock?: { destroy(): void } };
  _sock?.destroy();
}

/** Standard input as lines; what comes before the first is asked for waits. */
async function* linesOf(input: Readable): AsyncGenerator<string, undefined> {
  const splitter = new LineSplitter();
  for await (const chunk of input) yield* splitter.push(chunk);
  const rest = splitter.end();
  if (rest !== '') yield rest;
}

async function runExec(
  channel: ServerChannel,
  command: string,
  sshd: LabProcess,
  options: LabSshOptions,
): Promise<void> {
  const { state, note } = options;
  channel.on('error', () => undefined);
  if (state.faults.has('slow')) await sleep(slowMs);
  const lines = linesOf(channel.stdin ?? channel);
  const write = (to: NodeJS.WritableStream) => (text: string) => {
    if (channel.writable) to.write(text);
  };
  const terminal = { out: write(channel), err: write(channel.stderr), note, lines };
  const exitCode = await runCommandLine(state, sshd, command, terminal).catch((error: unknown) => {
    // Killed is how Windows ends a process: with exit code 1 and no word.
    if (!(error instanceof Error && error.message === 'killed')) note(`${command}: ${String(error)}`);
    return 1;
  });
  if (!channel.writable) return;
  channel.exit(exitCode);
  channel.end();
}
