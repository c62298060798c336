import { ensureServerTask } from '../../playwright/install.ts';
import { playwrightTarget } from '../../playwright/target.ts';
import type { Remedy } from '../remedy.ts';
import { looksLikeFirewall, openFirewall } from './firewall.ts';

const guestPort = 9_323;
/** What no start of a task mends: the other version, the other secret. */
const hopeless: readonly string[] = ['version_mismatch', 'playwright_refused'];

/** Opens the firewall and starts the scheduled task; registers it again where it is gone. */
export const playwrightRemedy: Remedy = {
  component: 'playwright',
  plan: (verdict) => {
    if (hopeless.includes(verdict.reason)) return [];
    const rule = `make or enable the firewall rule of port ${guestPort}`;
    return looksLikeFirewall(verdict) ? [rule] : [rule, 'start the scheduled task WinAutomation-Playwright'];
  },
  run: async (verdict, context) => {
    const { windows, loaded, host, signal } = context;
    const changed = await openFirewall(guestPort, context);
    if (looksLikeFirewall(verdict) && changed.length > 0) return changed;
    return [...changed, ...(await ensureServerTask(windows, playwrightTarget(loaded, host), signal))];
  },
};
