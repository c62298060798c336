import type { Browser } from 'playwright-core';
import { abortable, Deadline } from '../core/deadline.ts';
import type { Milliseconds } from '../core/duration.ts';
import { AutomationError, messageOf } from '../core/errors.ts';
import { createRedactor } from '../core/redact.ts';
import { versions } from '../core/version.ts';
import type { WindowsHost } from '../windows/host.ts';
import { type Reached, reach } from '../windows/reach.ts';

/** Everything that reaching the Playwright server of a host takes. */
export interface PlaywrightTarget {
  readonly host: string;
  readonly port: number;
  readonly transport: 'direct' | 'ssh';
  /** The secret path, without a slash in front. */
  readonly wsPath: string;
  /** Connection, handshake and version check together. */
  readonly timeoutMs: Milliseconds;
}

/** A browser on Windows, in our hands until it is disposed of. */
export interface RemoteBrowser extends AsyncDisposable {
  readonly browser: Browser;
  /** The browser's own version, such as 149.0.7444.0. */
  readonly browserVersion: string;
}

const closeTimeoutMs = 5_000;

/**
 * Connects to the Playwright server, which checks that it is of our version.
 *
 * @throws AutomationError `http_unreachable` (nobody listens), `playwright_refused` (wrong secret, or no Playwright),
 *   `version_mismatch` with both versions, `timeout`
 */
export async function connectBrowser(
  target: PlaywrightTarget,
  windows: WindowsHost,
  signal: AbortSignal,
): Promise<RemoteBrowser> {
  const at = await reach(target.transport, target, windows, signal);
  try {
    const browser = await connectTo(target, at, signal);
    return {
      browser,
      browserVersion: browser.version(),
      [Symbol.asyncDispose]: async () => {
        await settled(browser.close(), closeTimeoutMs);
        await at[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await at[Symbol.asyncDispose]();
    throw error;
  }
}

async function connectTo(target: PlaywrightTarget, at: Reached, signal: AbortSignal): Promise<Browser> {
  using deadline = new Deadline(target.timeoutMs, `connecting to Playwright at ${at.host}:${at.port}`, signal);
  const { chromium } = await import('playwright-core');
  const host = at.host.includes(':') ? `[${at.host}]` : at.host;
  const connecting = chromium.connect(`ws://${host}:${at.port}/${target.wsPath}`, { timeout: target.timeoutMs });
  try {
    return await abortable(connecting, deadline.signal);
  } catch (error) {
    // One that still arrives must not stay open.
    connecting.then((late) => late.close()).catch(() => undefined);
    deadline.signal.throwIfAborted();
    throw connectFailure(error, target, at);
  }
}

function connectFailure(error: unknown, { wsPath }: PlaywrightTarget, at: Reached): AutomationError {
  const where = `${at.host}:${at.port}`;
  const message = createRedactor([wsPath])(messageOf(error));
  const server = /server version: v?([\d.]+)/.exec(message)?.[1];
  if (server !== undefined) {
    const ours = versions.playwright;
    return new AutomationError(
      'version_mismatch',
      `Playwright at ${where} is ${server}, and this program has ${ours}`,
      {
        hint: `on Windows: npm install --prefix ${installDir} playwright@${ours}; then win-automation playwright install`,
        fields: { server_version: server, client_version: ours },
      },
    );
  }
  if (/\b(400|404)\b|Unexpected server response/.test(message)) {
    return new AutomationError('playwright_refused', `${where} does not take our secret path`, {
      hint: 'is WIN_AUTOMATION_PLAYWRIGHT_WS_PATH what stands in ws_path.txt on Windows? playwright install writes it',
    });
  }
  if (/Timeout \d+ms exceeded/.test(message)) {
    return new AutomationError('timeout', `Playwright at ${where} did not answer in time`, {
      hint: 'the Windows firewall may hold its port back: win-automation playwright install opens it',
    });
  }
  const reason = message.split('\n')[0] ?? '';
  return new AutomationError('http_unreachable', `Playwright at ${where} can't be reached: ${reason}`, {
    hint: 'is the scheduled task WinAutomation-Playwright running? win-automation playwright install starts it',
    isTransient: true,
  });
}

/** The folder on Windows that holds the server (context.md, "Playwright Remote Automation"). */
export const installDir = 'C:\\ProgramData\\win-automation\\playwright';

/** Waits for something that must not hold us up. What it throws is no news any more. */
export async function settled(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  await abortable(work, AbortSignal.timeout(timeoutMs)).catch(() => undefined);
}
