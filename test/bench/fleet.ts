import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeKeyPair } from '../../src/lab/keys.ts';
import { type LabOptions, startLab } from '../../src/lab/lab.ts';
import { median } from './median.ts';

export interface FleetBench {
  readonly oneMs: number;
  readonly allMs: number;
  readonly peakRssBytes: number;
}

const rounds = 5;

/** One supervisor pass over one lab host, and over many at 32 at a time: medians, after one round that warms up. */
export async function benchFleet(executable: string, dir: string, count: number): Promise<FleetBench> {
  mkdirSync(dir, { recursive: true });
  // As in any fleet: one key opens all.
  const key = makeKeyPair();
  const identityFile = join(dir, 'id_fleet');
  writeFileSync(identityFile, key.private, { mode: 0o600 });
  const options = (i: number): LabOptions => ({
    powershellStartMs: 0,
    dir: join(dir, `keys-${i}`),
    key,
    note: () => undefined,
  });
  const labs = await Promise.all(Array.from({ length: count }, (_, i) => startLab(options(i))));
  const hostOf = ({ env }: (typeof labs)[number]) => ({
    windows: {
      ssh_host: '127.0.0.1',
      ssh_port: Number(env['WIN_AUTOMATION_WINDOWS_SSH_PORT']),
      ssh_identity_file: identityFile,
      ssh_known_hosts_file: env['WIN_AUTOMATION_WINDOWS_SSH_KNOWN_HOSTS_FILE'],
    },
    aloha: { server_url: env['WIN_AUTOMATION_ALOHA_SERVER_URL'], client_url: env['WIN_AUTOMATION_ALOHA_CLIENT_URL'] },
  });
  const [first, ...others] = labs.map(hostOf);
  const write = (name: string, hosts: readonly unknown[]) => {
    const path = join(dir, name);
    const named = Object.fromEntries(hosts.map((host, i) => [`vm-${i}`, host]));
    writeFileSync(path, JSON.stringify({ ...first, state_dir: join(dir, 'state'), timeout: '60s', hosts: named }));
    return path;
  };
  try {
    const run = (path: string, ...more: string[]) => {
      return timed([executable, '--config', path, 'supervisor', 'run', '--once', ...more], dir);
    };
    const [single, every] = [write('one.json', []), write('all.json', others)];
    const [ones, alls] = [[] as Timed[], [] as Timed[]];
    for (let round = 0; round <= rounds; round += 1) {
      const one = await run(single);
      const all = await run(every, '--all-hosts', '--parallel', '32');
      if (round === 0) continue;
      ones.push(one);
      alls.push(all);
    }
    const peakRssBytes = Math.max(...alls.map((all) => all.peakRssBytes));
    return { oneMs: medianMs(ones), allMs: medianMs(alls), peakRssBytes };
  } finally {
    await Promise.all(labs.map((lab) => lab.close()));
  }
}

interface Timed {
  readonly ms: number;
  readonly peakRssBytes: number;
}

const medianMs = (runs: readonly Timed[]): number => median(runs.map(({ ms }) => ms));

function timed([program = '', ...args]: readonly string[], home: string): Promise<Timed> {
  return new Promise((done, fail) => {
    const startedMs = performance.now();
    let peakRssBytes = 0;
    const child = spawn(program, args, { env: { HOME: home }, stdio: 'ignore' });
    const watch = setInterval(() => {
      const match = /VmHWM:\s+(\d+) kB/.exec(statusOf(child.pid));
      peakRssBytes = Math.max(peakRssBytes, Number(match?.[1] ?? 0) * 1024);
    }, 20);
    child.once('error', fail);
    child.once('close', (code) => {
      clearInterval(watch);
      if (code === 0) done({ ms: performance.now() - startedMs, peakRssBytes });
      else fail(new Error(`${args.join(' ')} ended with ${code}`));
    });
  });
}

function statusOf(pid: number | undefined): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    // It ended in between.
    return '';
  }
}
