import { hostConfig, type LoadedConfig } from '../config/load.ts';
import type { Milliseconds } from '../core/duration.ts';
import { AutomationError } from '../core/errors.ts';
import type { PlaywrightTarget } from './client.ts';

/**
 * The Playwright server of one host of the configuration.
 *
 * @throws AutomationError `config_invalid` where the secret path is not set
 */
export function playwrightTarget(loaded: LoadedConfig, host: string, timeoutMs?: Milliseconds): PlaywrightTarget {
  const { playwright } = hostConfig(loaded.config, host);
  const wsPath = loaded.secrets.playwrightWsPath?.replace(/^\/+/, '');
  if (wsPath === undefined || wsPath === '') {
    throw new AutomationError('config_invalid', 'the secret path of the Playwright server is not set', {
      hint: 'set WIN_AUTOMATION_PLAYWRIGHT_WS_PATH_FILE (or WIN_AUTOMATION_PLAYWRIGHT_WS_PATH); playwright install makes one',
    });
  }
  return { ...playwright, wsPath, timeoutMs: timeoutMs ?? loaded.config.timeout };
}
