import { firewallRules } from '../../windows/status.ts';
import type { CheckContext, Verdict } from '../verdict.ts';

/** Whether a verdict looks like a firewall that swallows. */
export const looksLikeFirewall = ({ reason }: Verdict): boolean => reason === 'http_hangs' || reason === 'timeout';

/** Makes or enables the rule of one port. @returns what it changed */
export async function openFirewall(port: number, { windows, signal }: CheckContext): Promise<string[]> {
  const rule = firewallRules.find((one) => one.port === port) ?? { name: `WinAutomation-${port}`, port };
  const { rules } = await windows.script('firewall', { action: 'ensure', rules: [rule] }, { signal });
  return rules[0]?.changed ? [`firewall rule ${rule.name}`] : [];
}
