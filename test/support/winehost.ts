import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { winehost } from './engines.ts';
import { eventually } from './processes.ts';
import { freePort } from './sshd.ts';

export type WinehostShell = 'cmd' | 'powershell' | 'pwsh';

/** A running host that is nearly Windows: see test/winehost/winehost. */
export interface Winehost {
  /** The environment that points win-automation at it. */
  readonly env: Readonly<Record<string, string>>;
  /** Its `C:\`, as a folder of this machine. */
  readonly driveC: string;
  /** The command lines of all its processes as Windows has them, but for what every Windows runs. */
  programs(): string[];
  /** Ends it with all that runs on it. @throws Error if something is left */
  stop(): Promise<void>;
}

export interface WinehostOptions {
  /** sshd's DefaultShell there. */
  readonly shell?: WinehostShell;
  /** An X server such as `:99`, for a host with a desktop. */
  readonly display?: string;
  /** Whether its Task Scheduler runs: it takes a second to start. */
  readonly hasTasks?: boolean;
}

const answer = v.object({
  host: v.string(),
  port: v.number(),
  user: v.string(),
  identity_file: v.string(),
  known_hosts_file: v.string(),
  drive_c: v.string(),
});

/** What stands in there for the parts of Windows that Wine lacks: modules of PowerShell. */
const modules = new URL('winehost-modules', import.meta.url).pathname;

/** Starts a host of its own, with the modules that stand in for what it lacks. The caller stops it. */
export async function startWinehost({ shell = 'cmd', display, hasTasks }: WinehostOptions = {}): Promise<Winehost> {
  if (winehost.path === undefined) throw new Error(winehost.whyNot);
  const dir = mkdtempSync(join(tmpdir(), 'wa-winehost-'));
  const args = [join(dir, 'host'), '--port', String(await freePort()), '--shell', shell];
  if (display !== undefined) args.push('--display', display);
  const child = spawn(winehost.path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const { host, port, user, identity_file, known_hosts_file, drive_c } = await answerOf(child);
  // PowerShell looks here before its own folder, and this one is the host's alone.
  cpSync(modules, join(drive_c, 'users', user, 'Documents/PowerShell/Modules'), { recursive: true });
  const prefix = join(drive_c, '..');
  if (hasTasks === true) {
    // In a session of its own, which ends with the host.
    const scheduler = `C:\\users\\${user}\\Documents\\PowerShell\\Modules\\ScheduledTasks\\scheduler.ps1`;
    const line = `powershell -NoProfile -File ${scheduler}`;
    const keys = ['-i', identity_file, '-o', `UserKnownHostsFile=${known_hosts_file}`];
    spawn('ssh', ['-F', 'none', ...keys, '-p', String(port), `${user}@${host}`, line], { stdio: 'ignore' });
    const ready = join(drive_c, 'ProgramData/winehost/tasks/ready');
    await eventually('the Task Scheduler is ready', () => existsSync(ready), 60_000);
  }
  return {
    env: {
      WIN_AUTOMATION_WINDOWS_SSH_HOST: host,
      WIN_AUTOMATION_WINDOWS_SSH_PORT: String(port),
      WIN_AUTOMATION_WINDOWS_SSH_USER: user,
      WIN_AUTOMATION_WINDOWS_SSH_IDENTITY_FILE: identity_file,
      WIN_AUTOMATION_WINDOWS_SSH_KNOWN_HOSTS_FILE: known_hosts_file,
    },
    driveC: drive_c,
    programs: () => processesOf(prefix).filter((line) => !ofWindows.test(line)),
    stop: async () => {
      const gone = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      if (child.exitCode === null) await gone;
      await eventually(`nothing of ${prefix} runs: ${processesOf(prefix)}`, () => processesOf(prefix).length === 0);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** What runs on every host of this kind, whether or not anybody is logged on. */
const ofWindows =
  /wineserver|\\(services|winedevice|plugplay|svchost|rpcss|explorer|conhost|tabtip)\.exe|sshd|scheduler\.ps1/i;

/** The command lines of this machine's processes that belong to a prefix of Wine. */
function processesOf(prefix: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        if (!environment.includes(`WINEPREFIX=${prefix}`)) return [];
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()];
      } catch {
        // It ended in between, or is another user's.
        return [];
      }
    });
}

/** The line in which a host says how to connect. A first start unpacks it, which takes a while. */
function answerOf(child: ChildProcess): Promise<v.InferOutput<typeof answer>> {
  return new Promise((resolve, reject) => {
    let [stdout, stderr] = ['', ''];
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      if (stdout.includes('\n')) resolve(v.parse(answer, JSON.parse(stdout)));
    });
    child.once('error', reject);
    child.once('close', (exitCode) => reject(new Error(`the nearly-Windows host ended with ${exitCode}: ${stderr}`)));
  });
}
