import { hostConfig } from '../../config/load.ts';
import type { HostConfig } from '../../config/sections.ts';
import { AutomationError } from '../../core/errors.ts';
import type { Remedy } from '../remedy.ts';
import type { CheckContext, Verdict } from '../verdict.ts';
import { looksLikeFirewall, openFirewall } from './firewall.ts';

interface AlohaHalf {
  readonly component: 'aloha_server' | 'aloha_client';
  readonly guestPort: number;
  readonly taskName: string;
  /** Where its output goes, in `aloha.dir`. `aloha run` follows the client by its log. */
  readonly logName: string;
  readonly commandOf: (aloha: HostConfig['aloha']) => string;
  readonly commandKey: string;
}

const halves: readonly AlohaHalf[] = [
  {
    component: 'aloha_server',
    guestPort: 7_887,
    taskName: 'WinAutomation-AlohaServer',
    logName: 'server.log',
    commandOf: ({ server_start_cmd }) => server_start_cmd,
    commandKey: 'aloha.server_start_cmd',
  },
  {
    component: 'aloha_client',
    guestPort: 7_888,
    taskName: 'WinAutomation-AlohaClient',
    logName: 'client.log',
    commandOf: ({ client_start_cmd }) => client_start_cmd,
    commandKey: 'aloha.client_start_cmd',
  },
];

/** Opens the firewall where HTTP hangs, else starts the program by its configured command. */
export const alohaRemedies: readonly Remedy[] = halves.map((half) => ({
  component: half.component,
  plan: (verdict, context) => planOf(half, verdict, context),
  run: async (verdict, context) => {
    if (looksLikeFirewall(verdict)) return openFirewall(half.guestPort, context);
    return start(half, context);
  },
}));

function planOf(half: AlohaHalf, verdict: Verdict, { loaded, host }: CheckContext): string[] {
  if (looksLikeFirewall(verdict)) return [`make or enable the firewall rule of port ${half.guestPort}`];
  // A program that runs is not started again, and a port is forwarded on this side.
  if (verdict.reason === 'not_forwarded' || verdict.reason === 'not_aloha') return [];
  const command = half.commandOf(hostConfig(loaded.config, host).aloha);
  return command === '' ? [] : [`start it by the scheduled task ${half.taskName}: ${command}`];
}

async function start(half: AlohaHalf, { loaded, host, windows, signal }: CheckContext): Promise<string[]> {
  const { aloha } = hostConfig(loaded.config, host);
  const command = half.commandOf(aloha);
  if (command === '') {
    throw new AutomationError('config_invalid', `${half.commandKey} is not set, so ${half.component} can't be started`);
  }
  const { ports } = await windows.script('ports', { ports: [half.guestPort] }, { signal });
  const changed: string[] = [];
  const name = half.taskName;
  // One that listens and does not answer is ended first: two can't have one port.
  if (ports[0]?.listening) await windows.script('task', { action: 'stop', name }, { signal });
  await windows.script(
    'task',
    {
      action: 'register',
      name,
      execute: 'cmd.exe',
      arguments: `/d /s /c "${command} >> ${half.logName} 2>&1"`,
      ...(aloha.dir === undefined ? {} : { working_directory: aloha.dir }),
      trigger: 'logon',
      principal: aloha.start_mode === 'interactive' ? 'interactive' : 'system',
    },
    { signal },
  );
  await windows.script('task', { action: 'start', name }, { signal });
  changed.push(`scheduled task ${name} started`);
  return changed;
}
