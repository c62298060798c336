import { skipped, unknown } from '../../core/finding.ts';
import { probePlaywright } from '../../playwright/health.ts';
import { playwrightTarget } from '../../playwright/target.ts';
import { isSshFailure } from '../ssh-failure.ts';
import { type Check, judge } from '../verdict.ts';

/** Whether the Playwright server takes our secret and is of our version; not asked where its secret path is not known. */
export const checkPlaywright: Check = ({ loaded, host, windows, signal }) =>
  judge('playwright', signal, async () => {
    if (loaded.secrets.playwrightWsPath === undefined) {
      const hints = ['set WIN_AUTOMATION_PLAYWRIGHT_WS_PATH or WIN_AUTOMATION_PLAYWRIGHT_WS_PATH_FILE'];
      return skipped('no_ws_path', 'the secret path is not set', hints);
    }
    try {
      return await probePlaywright(playwrightTarget(loaded, host), windows, signal);
    } catch (error) {
      if (isSshFailure(error)) return unknown('ssh_down', `not asked: ${error.message}`);
      throw error;
    }
  });
