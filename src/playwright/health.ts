import { type Finding, found } from '../core/finding.ts';
import { versions } from '../core/version.ts';
import type { WindowsHost } from '../windows/host.ts';
import { connectBrowser, type PlaywrightTarget } from './client.ts';

/** Really connects, so that secret, version and browser are all seen to be right. @throws see `connectBrowser` */
export async function probePlaywright(
  target: PlaywrightTarget,
  windows: WindowsHost,
  signal: AbortSignal,
): Promise<Finding> {
  await using remote = await connectBrowser(target, windows, signal);
  const detail = `Playwright ${versions.playwright}, Chromium ${remote.browserVersion}`;
  // A server of another minor version does not let us in.
  const serverVersion = versions.playwright.split('.').slice(0, 2).join('.');
  return found('connected', detail, {
    playwright_server_version: serverVersion,
    browser_version: remote.browserVersion,
  });
}
