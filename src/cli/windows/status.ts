import { Deadline } from '../../core/deadline.ts';
import type { Scalar } from '../../core/errors.ts';
import { type HostStatus, readStatus } from '../../windows/status.ts';
import { defineAction } from '../command.ts';
import { fleetFlags, onHosts } from '../fleet.ts';
import type { Invocation } from '../invocation.ts';
import { openHost } from './open-host.ts';

type Line = Readonly<Record<string, Scalar>>;

export default defineAction({
  name: 'status',
  description: 'What kind of machine it is, who is logged on, whether GUI work may run, ports, firewall and tasks',
  examples: ['windows status', 'windows status --json'],
  args: fleetFlags,
  run: (given, args) => onHosts(given, args, showStatus),
});

async function showStatus(invocation: Invocation): Promise<number> {
  const session = await invocation.open();
  const { output } = invocation;
  using deadline = new Deadline(session.loaded.config.hatchet.job_timeout, 'reading the status', invocation.signal);
  await using host = openHost(session, true);
  const status = await readStatus(host, deadline.signal);
  const lines = linesOf(session.host, status);
  if (output.isJson) await output.payload({}, documentOf(session.host, status));
  else if (output.isTerminal) {
    await output.table(
      lines.map(([title, line]) => {
        const words = Object.entries(line).map(([key, value]) => `${output.paint('dim', `${key}=`)}${value ?? ''}`);
        return [title, words.join('  ')];
      }),
    );
  } else for (const [title, line] of lines) await output.payload({ kind: title, ...line }, undefined);
  return 0;
}

function linesOf(
  name: string,
  { facts, clockSkewMs, sessions, gui, ports, firewall, tasks }: HostStatus,
): [string, Line][] {
  const { disk_free_bytes, disk_size_bytes, utc_now: _, ...machine } = facts;
  return [
    ['host', { host: name, ...machine, clock_skew_ms: clockSkewMs, disk_free_bytes, disk_size_bytes }],
    ['gui', { state: gui.state, ...(gui.state === 'blocked' ? { reason: gui.reason, message: gui.message } : {}) }],
    ...sessions.map((session): [string, Line] => ['session', session]),
    ...ports.map((port): [string, Line] => ['port', port]),
    ...firewall.map((rule): [string, Line] => {
      return [
        'firewall',
        { ...rule, blocked_by: rule.blocked_by.join(','), remote_address: rule.remote_address.join(',') },
      ];
    }),
    ...tasks.map((task): [string, Line] => ['task', task]),
  ];
}

function documentOf(host: string, { facts, clockSkewMs, sessions, gui, ports, firewall, tasks }: HostStatus) {
  const { state } = gui;
  const blocked = gui.state === 'blocked' ? { reason: gui.reason, message: gui.message } : {};
  return { host, facts, clock_skew_ms: clockSkewMs, gui: { state, ...blocked }, sessions, ports, firewall, tasks };
}
