import { type GuiGate, judgeGui } from './gui-gate.ts';
import type { WindowsHost } from './host.ts';
import type { ScriptOutput } from './powershell/contracts.ts';

/** The firewall rules of the reference (context.md, "Common issue" and "Remediation Actions"). */
export const firewallRules = [
  { name: 'Aloha-7887', port: 7_887 },
  { name: 'Aloha-7888', port: 7_888 },
  { name: 'WinAutomation-Playwright-9323', port: 9_323 },
] as const;

/** The scheduled tasks that this program makes. */
const taskNames = ['WinAutomation-Playwright', 'WinAutomation-AlohaServer', 'WinAutomation-AlohaClient'];

export interface HostStatus {
  readonly facts: ScriptOutput<'facts'>;
  /** The host's clock less ours, in milliseconds; as exact as half a round trip. */
  readonly clockSkewMs: number;
  readonly sessions: ScriptOutput<'sessions'>['sessions'];
  readonly gui: GuiGate;
  readonly ports: ScriptOutput<'ports'>['ports'];
  readonly firewall: ScriptOutput<'firewall'>['rules'];
  readonly tasks: readonly ScriptOutput<'task'>[];
}

/** Everything worth knowing of a host, asked side by side. @throws AutomationError see `WindowsHost.script` */
export async function readStatus(host: WindowsHost, signal: AbortSignal): Promise<HostStatus> {
  const options = { signal };
  const askedMs = Date.now();
  const facts = await host.script('facts', {}, options);
  const clockSkewMs = Math.round(Date.parse(facts.utc_now) - (askedMs + Date.now()) / 2);
  const [{ sessions }, { ports }, { rules }, tasks] = await Promise.all([
    host.script('sessions', {}, options),
    host.script('ports', { ports: firewallRules.map(({ port }) => port) }, options),
    host.script('firewall', { action: 'query', rules: [...firewallRules] }, options),
    Promise.all(taskNames.map((name) => host.script('task', { action: 'query', name }, options))),
  ]);
  return { facts, clockSkewMs, sessions, gui: judgeGui(sessions), ports, firewall: rules, tasks };
}
