import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** A real OpenSSH server on a free loopback port, with keys, users and files of its own. */
export interface TestSshd {
  readonly port: number;
  readonly user: string;
  /** A folder of its own: keys, known_hosts, logs. Readable by the login user. */
  readonly dir: string;
  readonly identityFile: string;
  readonly knownHostsFile: string;
  /** The environment that points win-automation at it. */
  readonly env: Readonly<Record<string, string>>;
  /** The server's own log so far. */
  log(): string;
  stop(): Promise<void>;
}

export interface SshdOptions {
  /** Further lines of sshd_config. */
  readonly config?: readonly string[];
  /** Listens here instead of on a free port. */
  readonly port?: number;
  /** Uses this private host key file instead of a new key. */
  readonly hostKey?: string;
}

const sshdPath = '/usr/sbin/sshd';
const testUser = 'wa-sshd-test';

/** Why sshd can't be run here, or undefined if it can. */
export const whyNoSshd = existsSync(sshdPath) ? undefined : 'no /usr/sbin/sshd: install openssh-server';

/** sshd refuses signals for root, so that tests log in as a user of their own where they may make one. */
function loginUser(): string {
  if (userInfo().uid !== 0) return userInfo().username;
  try {
    execFileSync('id', ['-u', testUser], { stdio: 'ignore' });
  } catch {
    execFileSync('useradd', ['-m', '-s', '/bin/bash', '-p', '*', testUser]);
  }
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  return testUser;
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Makes a key pair and returns the private key's path. */
export function makeKey(path: string, passphrase = '', type = 'ed25519'): string {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', path]);
  return path;
}

/** Starts a server; its host key stands in `knownHostsFile` already. */
export async function startSshd(options: SshdOptions = {}): Promise<TestSshd> {
  const user = loginUser();
  const dir = mkdtempSync(join(tmpdir(), 'wa-sshd-'));
  chmodSync(dir, 0o755);
  const port = options.port ?? (await freePort());
  const hostKey = options.hostKey ?? makeKey(join(dir, 'host_key'));
  const identityFile = makeKey(join(dir, 'id_test'));
  writeFileSync(join(dir, 'authorized_keys'), readFileSync(`${identityFile}.pub`), { mode: 0o644 });
  const knownHostsFile = join(dir, 'known_hosts');
  writeFileSync(knownHostsFile, `[127.0.0.1]:${port} ${readFileSync(`${hostKey}.pub`, 'utf8')}`);
  const configFile = join(dir, 'sshd_config');
  const config = [
    // sshd takes the first of several: what a test asks for stands before our own.
    ...(options.config ?? []),
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${dir}/authorized_keys`,
    'UsePAM no',
    'StrictModes no',
    'PidFile none',
    'PasswordAuthentication no',
    'LogLevel VERBOSE',
    'MaxStartups 100',
    ...(options.config?.some((line) => line.startsWith('Subsystem sftp ')) ? [] : ['Subsystem sftp internal-sftp']),
  ];
  writeFileSync(configFile, `${config.join('\n')}\n`);
  const logFile = join(dir, 'sshd.log');
  const child = spawn(sshdPath, ['-D', '-f', configFile, '-E', logFile], { stdio: 'ignore' });
  await listening(port, child, () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''));
  return {
    port,
    user,
    dir,
    identityFile,
    knownHostsFile,
    env: {
      WIN_AUTOMATION_WINDOWS_SSH_HOST: '127.0.0.1',
      WIN_AUTOMATION_WINDOWS_SSH_PORT: String(port),
      WIN_AUTOMATION_WINDOWS_SSH_USER: user,
      WIN_AUTOMATION_WINDOWS_SSH_IDENTITY_FILE: identityFile,
      WIN_AUTOMATION_WINDOWS_SSH_KNOWN_HOSTS_FILE: knownHostsFile,
    },
    log: () => readFileSync(logFile, 'utf8'),
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      if (child.exitCode === null) await gone;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function listening(port: number, child: ChildProcess, log: () => string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`sshd ended at once:\n${log()}`);
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = createConnection({ host: '127.0.0.1', port });
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  child.kill('SIGKILL');
  throw new Error(`sshd did not listen within 5 s:\n${log()}`);
}
