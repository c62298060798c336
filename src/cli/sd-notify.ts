import { spawn } from 'node:child_process';
import process from 'node:process';

/**
 * Tells systemd how we are (sd_notify(3)). By `systemd-notify`, since the runtime has no Unix datagram sockets: the unit needs
 * `NotifyAccess=all`. Without systemd it does nothing.
 */
export function sdNotify(...states: readonly string[]): void {
  if (!process.env['NOTIFY_SOCKET']) return;
  const child = spawn('systemd-notify', [`--pid=${process.pid}`, ...states], { stdio: 'ignore' });
  // A notification that can't be sent must not end what it tells of; systemd's own timeout says so.
  child.on('error', () => undefined);
}
