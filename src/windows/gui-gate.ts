import { AutomationError } from '../core/errors.ts';
import type { WindowsHost } from './host.ts';
import type { Session } from './powershell/contracts.ts';

/** Whether GUI work may run now, and why not. */
export type GuiGate =
  | { readonly state: 'open'; readonly session: Session }
  | {
      readonly state: 'blocked';
      readonly reason: 'nobody_logged_on' | 'disconnected' | 'locked';
      readonly message: string;
    };

/**
 * Judges by the sessions of a host (context.md, "Retry and Idempotency": a locked desktop blocks GUI work). A locked
 * desktop takes no input and a disconnected one has no screen, yet tools there report success.
 */
export function judgeGui(sessions: readonly Session[]): GuiGate {
  const active = sessions.filter((session) => session.state === 'Active');
  const usable = active.find((session) => !session.locked);
  if (usable !== undefined) return { state: 'open', session: usable };
  const [locked] = active;
  if (locked !== undefined) {
    const message = `the desktop of ${locked.user} (session ${locked.id}) is locked: unlock it on the VM's console`;
    return { state: 'blocked', reason: 'locked', message };
  }
  const [disconnected] = sessions;
  if (disconnected !== undefined) {
    const message = `the session of ${disconnected.user} is ${disconnected.state}: connect to it, or move it to the console (tscon ${disconnected.id} /dest:console)`;
    return { state: 'blocked', reason: 'disconnected', message };
  }
  return { state: 'blocked', reason: 'nobody_logged_on', message: 'nobody is logged on: log on at the VM console' };
}

/** Asks the host and lets GUI work through, or not. @throws AutomationError `gui_blocked` with the reason in its fields */
export async function requireGui(host: WindowsHost, signal: AbortSignal): Promise<void> {
  const { sessions } = await host.script('sessions', {}, { signal });
  const gate = judgeGui(sessions);
  if (gate.state === 'open') return;
  throw new AutomationError('gui_blocked', gate.message, { fields: { reason: gate.reason } });
}
