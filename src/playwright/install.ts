import { randomBytes } from 'node:crypto';
import { sleep } from '../core/deadline.ts';
import { milliseconds } from '../core/duration.ts';
import { AutomationError, messageOf } from '../core/errors.ts';
import { versions } from '../core/version.ts';
import type { WindowsHost } from '../windows/host.ts';
import { joinRemote, sftpPath } from '../windows/paths.ts';
import { installDir, type PlaywrightTarget } from './client.ts';
import { probePlaywright } from './health.ts';
import launchServer from './launch-server.js' with { type: 'text' };

export const taskName = 'WinAutomation-Playwright';
const readyTimeoutMs = milliseconds(60_000);
const askAgainMs = 1_000;
/** Where the server listens inside Windows; a forwarded port of this machine may have another number. */
const defaultGuestPort = 9_323;
/** The Node that Playwright itself asks for. */
const minNodeMajor = 18;

/** One thing that was done, or was right already. */
export interface InstallStep {
  readonly step: string;
  readonly state: 'ok' | 'changed';
  readonly detail: string;
}

/** A secret path of 256 bits, as a URL takes it. */
export const makeWsPath = (): string => randomBytes(32).toString('base64url');

/**
 * Makes the Playwright server of a host ready: checks Node and Playwright, uploads the server and its secret, registers and
 * starts its scheduled task, opens the firewall, and waits until it answers. Safe to run again.
 *
 * @throws AutomationError `playwright_missing` with the command to run on Windows, `version_mismatch`, and what
 *   `connectBrowser` throws if it does not answer within a minute
 */
export async function installPlaywright(
  host: WindowsHost,
  target: PlaywrightTarget,
  signal: AbortSignal,
): Promise<InstallStep[]> {
  const nodePath = await requireNode(host, signal);
  const steps: InstallStep[] = [{ step: 'node', state: 'ok', detail: nodePath }];
  const sftp = await host.sftp(signal);
  const dir = sftpPath(installDir);
  // The server runs as SYSTEM: nobody else may put files beside it.
  const { readers: dirReaders } = await host.script('closedFolder', { path: installDir }, { signal });
  steps.push({ step: 'folder', state: 'changed', detail: `${installDir}, open to ${dirReaders.join(', ')}` });
  await sftp.writeFile(joinRemote(dir, 'launch-server.js'), Buffer.from(launchServer, 'utf8'));
  steps.push({ step: 'server', state: 'changed', detail: `${installDir}\\launch-server.js` });

  const secretFile = `${installDir}\\ws_path.txt`;
  const stdin = Buffer.from(target.wsPath, 'utf8').toString('base64');
  const { readers } = await host.script('secretFile', { path: secretFile }, { signal, stdin });
  steps.push({ step: 'secret', state: 'changed', detail: `${secretFile}, readable by ${readers.join(', ')}` });

  const port = guestPortOf(target);
  const rule = { name: `WinAutomation-Playwright-${port}`, port };
  const { rules } = await host.script('firewall', { action: 'ensure', rules: [rule] }, { signal });
  steps.push({ step: 'firewall', state: rules[0]?.changed ? 'changed' : 'ok', detail: rule.name });

  await startTask(host, nodePath, port, signal);
  steps.push({ step: 'task', state: 'changed', detail: taskName });
  steps.push({ step: 'answers', state: 'ok', detail: await untilReady(host, target, signal) });
  return steps;
}

/**
 * Sees to it that the server's task runs: starts it, or registers it again where it is gone.
 *
 * @returns what was changed, a line each
 */
export async function ensureServerTask(
  host: WindowsHost,
  target: PlaywrightTarget,
  signal: AbortSignal,
): Promise<string[]> {
  const task = await host.script('task', { action: 'query', name: taskName }, { signal });
  if (!task.exists) {
    await startTask(host, await requireNode(host, signal), guestPortOf(target), signal);
    return [`scheduled task ${taskName} registered and started`];
  }
  // One that runs and does not answer has lost its browser or hangs.
  if (task.state === 'Running') await host.script('task', { action: 'stop', name: taskName }, { signal });
  await host.script('task', { action: 'start', name: taskName }, { signal });
  return [`scheduled task ${taskName} started`];
}

const guestPortOf = ({ transport, port }: PlaywrightTarget): number => (transport === 'ssh' ? port : defaultGuestPort);

async function requireNode(host: WindowsHost, signal: AbortSignal): Promise<string> {
  const there = await host.script('playwright', { dir: installDir }, { signal });
  const ours = versions.playwright;
  const missing = (what: string, detail: string, command: string) =>
    new AutomationError('playwright_missing', `${detail} on ${host.target.name}`, {
      hint: `on Windows: ${command}`,
      fields: { missing: what },
    });
  if (there.node_path === '' || Number(there.node_version.split('.')[0]) < minNodeMajor) {
    const detail = there.node_path === '' ? 'Node.js is not installed' : `Node.js ${there.node_version} is too old`;
    throw missing('missing_node', detail, 'winget install OpenJS.NodeJS.LTS');
  }
  const install = `npm install --prefix ${installDir} playwright@${ours}`;
  const browser = `$env:PLAYWRIGHT_BROWSERS_PATH='${installDir}\\browsers'; npx --prefix ${installDir} playwright install chromium`;
  if (there.playwright_version === '') {
    throw missing('missing_playwright', `Playwright is not installed in ${installDir}`, `${install}; ${browser}`);
  }
  if (minorOf(there.playwright_version) !== minorOf(ours)) {
    const message = `Playwright on ${host.target.name} is ${there.playwright_version}, and this program has ${ours}`;
    throw new AutomationError('version_mismatch', message, {
      hint: `on Windows: ${install}; ${browser}`,
      fields: { server_version: there.playwright_version, client_version: ours },
    });
  }
  if (there.browsers.length === 0) throw missing('missing_browser', 'Playwright has no Chromium', browser);
  return there.node_path;
}

/** Major and minor must be the same on both sides (context.md, "Playwright Remote Automation"). */
const minorOf = (version: string) => version.split('.').slice(0, 2).join('.');

/** Registers the task anew, so that it runs what was just uploaded. It starts with Windows and again after a crash. */
async function startTask(host: WindowsHost, nodePath: string, port: number, signal: AbortSignal): Promise<void> {
  const options = { signal };
  await host.script('task', { action: 'stop', name: taskName }, options);
  const script = `"${installDir}\\launch-server.js" ${port}`;
  await host.script(
    'task',
    {
      action: 'register',
      name: taskName,
      execute: nodePath,
      arguments: script,
      working_directory: installDir,
      trigger: 'startup',
      principal: 'system',
    },
    options,
  );
  await host.script('task', { action: 'start', name: taskName }, options);
}

async function untilReady(host: WindowsHost, target: PlaywrightTarget, signal: AbortSignal): Promise<string> {
  const endMs = performance.now() + readyTimeoutMs;
  for (;;) {
    try {
      return (await probePlaywright(target, host, signal)).detail;
    } catch (error) {
      signal.throwIfAborted();
      const isHopeless = error instanceof AutomationError && error.code === 'version_mismatch';
      if (isHopeless || performance.now() > endMs) throw error;
      host.logger.debug('install', 'not yet', { err: messageOf(error) });
      await sleep(askAgainMs, signal);
    }
  }
}
