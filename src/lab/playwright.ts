import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrowserServer } from 'playwright-core';
import { installDir } from '../playwright/client.ts';
import { makeWsPath, taskName } from '../playwright/install.ts';
import launchServer from '../playwright/launch-server.js' with { type: 'text' };
import { startForwarder } from './forwarder.ts';
import { type Listening, listenOnLoopback } from './listen.ts';
import { localPath } from './paths.ts';
import type { LabState } from './state.ts';

const guestPlaywrightPort = 9_323;

const chromiumPaths = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/run/current-system/sw/bin/chromium',
];
const chromiumArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** What launch-server.js exports. */
interface LaunchServer {
  startFront(options: {
    readonly host: string;
    readonly port: number;
    readonly secretPath: string;
    readonly backend: () => Promise<{ port: number; path: string }>;
  }): Promise<Listening>;
}

/** The Playwright server of the simulated Windows: launch-server.js itself, in front of a Chromium of this machine. */
export class LabPlaywright {
  /** The port that leads to it from outside. */
  readonly port: number;
  readonly #state: LabState;
  readonly #forwarder: Listening;
  #front: Listening | undefined;
  #browser: Promise<BrowserServer> | undefined;
  #oldServer: Listening | undefined;

  private constructor(state: LabState, forwarder: Listening) {
    this.#state = state;
    this.#forwarder = forwarder;
    this.port = forwarder.port;
  }

  /** Installs it as `playwright install` would have done. @returns undefined where no Chromium is installed here */
  static async start(state: LabState): Promise<LabPlaywright | undefined> {
    if (!chromiumPaths.some((path) => existsSync(path))) return undefined;
    const playwright = new LabPlaywright(state, await startForwarder(state, guestPlaywrightPort));
    const file = secretFile(state);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, makeWsPath(), { mode: 0o600 });
    state.tasks.set(taskName, { execute: 'node.exe', arguments: '"launch-server.js"', user: 'SYSTEM', pid: undefined });
    await playwright.run();
    return playwright;
  }

  get wsPath(): string {
    return readFileSync(secretFile(this.#state), 'utf8').trim();
  }

  /** Runs the server, as the scheduled task does. The browser comes with the first connection. */
  async run(): Promise<void> {
    await this.stop();
    const program = join(this.#state.root, 'launch-server.cjs');
    writeFileSync(program, launchServer);
    const module = (await import(pathToFileURL(program).href)) as { readonly default: LaunchServer };
    this.#front = await module.default.startFront({
      host: '127.0.0.1',
      port: 0,
      secretPath: this.wsPath,
      backend: () => (this.#state.faults.has('playwright-old') ? this.#old() : this.#chromium()),
    });
    this.#state.listeners.set(guestPlaywrightPort, this.#front.port);
  }

  async stop(): Promise<void> {
    this.#state.listeners.delete(guestPlaywrightPort);
    await this.#front?.close();
    this.#front = undefined;
    const browser = await this.#browser?.catch(() => undefined);
    this.#browser = undefined;
    await browser?.kill();
    await this.#oldServer?.close();
    this.#oldServer = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#forwarder.close();
  }

  async #chromium(): Promise<{ port: number; path: string }> {
    const path = randomBytes(16).toString('hex');
    this.#browser ??= launch(path);
    const url = new URL((await this.#browser).wsEndpoint());
    return { port: Number(url.port), path: url.pathname.slice(1) };
  }

  /** A server of another version refuses before it has a browser. */
  async #old(): Promise<{ port: number; path: string }> {
    const server = createServer();
    server.on('upgrade', (_request, socket) => {
      const body = 'Playwright version mismatch:\n  - server version: v1.58\n  - client version: other\n';
      socket.end(`HTTP/1.1 428 Precondition Required\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
    this.#oldServer ??= await listenOnLoopback(server, () => server.closeAllConnections());
    return { port: this.#oldServer.port, path: '' };
  }
}

const secretFile = (state: LabState) => join(localPath(state, installDir), 'ws_path.txt');

async function launch(wsPath: string): Promise<BrowserServer> {
  const { chromium } = await import('playwright-core');
  const executablePath = chromiumPaths.find((path) => existsSync(path)) ?? '';
  return chromium.launchServer({
    host: '127.0.0.1',
    port: 0,
    wsPath: `/${wsPath}`,
    executablePath,
    args: chromiumArgs,
  });
}
