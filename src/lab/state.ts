import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Session } from '../windows/powershell/contracts.ts';

/** What can be broken in the lab while it runs. */
export const faults = [
  'firewall',
  'aloha-server-dead',
  'aloha-client-dead',
  'aloha-hang',
  'playwright-dead',
  'playwright-old',
  'playwright-missing',
  'node-missing',
  'locked',
  'disconnected',
  'nobody',
  'ssh-reset',
  'slow',
  'disk-full',
  'clock-skew',
  'host-key-changed',
] as const;
export type Fault = (typeof faults)[number];

export interface LabProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly name: string;
  readonly commandLine: string;
  readonly sessionId: number;
  /** Aborted when it is killed. */
  readonly killed: AbortController;
}

interface LabFirewallRule {
  readonly port: number;
  readonly remoteAddress: string;
}

export interface LabTask {
  readonly execute: string;
  readonly arguments: string;
  readonly user: string;
  pid: number | undefined;
}

/** The simulated Windows: all that it knows of itself. */
export class LabState {
  readonly hostname = 'LAB-WINDOWS';
  readonly user = 'LAB-WINDOWS\\administrator';
  readonly bootedMs = Date.now() - 3_600_000;
  readonly powershellStartMs: number;
  /** The folder that stands for C:\. */
  readonly root: string;
  readonly homeDir: string;
  readonly firewall = new Map<string, LabFirewallRule>();
  readonly tasks = new Map<string, LabTask>();
  readonly processes = new Map<number, LabProcess>();
  readonly faults = new Set<Fault>();
  /** Ports that somebody listens on, as seen inside: guest port to the loopback port of this machine. */
  readonly listeners = new Map<number, number>();
  /** Told of every program that a scheduled task starts; gives what ends it. */
  onProgram: (commandLine: string) => Promise<void> = async () => undefined;
  #lastPid = 4_000;

  /** @param root an existing folder, which is then the home folder too; without it one of its own */
  constructor(powershellStartMs: number, root?: string) {
    this.powershellStartMs = powershellStartMs;
    this.root = root ?? mkdtempSync(join(tmpdir(), 'win-automation-lab-'));
    this.homeDir = root ?? join(this.root, 'Users', 'administrator');
    const dirs = root === undefined ? [this.homeDir, join(this.root, 'Windows'), join(this.root, 'ProgramData')] : [];
    for (const dir of dirs) mkdirSync(dir, { recursive: true });
    this.allowPorts();
  }

  /** The firewall as the reference sets it up. */
  allowPorts(): void {
    this.firewall.set('Aloha-7887', { port: 7_887, remoteAddress: 'Any' });
    this.firewall.set('Aloha-7888', { port: 7_888, remoteAddress: 'Any' });
    this.firewall.set('WinAutomation-Playwright-9323', { port: 9_323, remoteAddress: 'Any' });
  }

  isAllowed(port: number): boolean {
    return [...this.firewall.values()].some((rule) => rule.port === port);
  }

  /** Who is logged on. The faults say whether somebody is, connected and unlocked. */
  sessions(): Session[] {
    if (this.faults.has('nobody')) return [];
    const isDisconnected = this.faults.has('disconnected');
    return [
      {
        id: 1,
        user: 'administrator',
        domain: this.hostname,
        station: isDisconnected ? '' : 'Console',
        state: isDisconnected ? 'Disc' : 'Active',
        locked: this.faults.has('locked'),
        lock_known: true,
      },
    ];
  }

  /** Starts a process. Call `exit` when it is over. */
  spawn(parentPid: number, name: string, commandLine: string, sessionId = 0): LabProcess {
    this.#lastPid += 4;
    const process = { pid: this.#lastPid, parentPid, name, commandLine, sessionId, killed: new AbortController() };
    this.processes.set(process.pid, process);
    return process;
  }

  exit(process: LabProcess): void {
    this.processes.delete(process.pid);
  }

  /** Those that a process started, and that those started, and so on. */
  descendants(pid: number): LabProcess[] {
    const children = [...this.processes.values()].filter((process) => process.parentPid === pid);
    return children.flatMap((child) => [child, ...this.descendants(child.pid)]);
  }

  kill(process: LabProcess): void {
    for (const one of [process, ...this.descendants(process.pid)]) {
      one.killed.abort(new Error('killed'));
      this.exit(one);
    }
  }

  remove(): void {
    for (const process of [...this.processes.values()]) this.kill(process);
    rmSync(this.root, { recursive: true, force: true });
  }
}
