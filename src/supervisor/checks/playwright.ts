import { hostConfig } from '../../config/load.ts';
import { found, skipped } from '../../core/finding.ts';
import { probeTcp } from '../../http/tcp.ts';
import { type Check, judge } from '../verdict.ts';

/** Whether something listens where the Playwright server should; not asked where its secret path is not known. */
export const checkPlaywright: Check = ({ loaded, host, signal }) =>
  judge('playwright', signal, async () => {
    if (loaded.secrets.playwrightWsPath === undefined) {
      const hints = ['set WIN_AUTOMATION_PLAYWRIGHT_WS_PATH or WIN_AUTOMATION_PLAYWRIGHT_WS_PATH_FILE'];
      return skipped('no_ws_path', 'the secret path is not set', hints);
    }
    const { playwright } = hostConfig(loaded.config, host);
    await probeTcp(playwright.host, playwright.port, loaded.config.timeout, signal);
    return found('listens', `${playwright.host}:${playwright.port} takes connections`);
  });
