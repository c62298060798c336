import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, it } from 'node:test';
import { type Executable, installExecutable, whyNoExecutable } from '../support/executable.ts';
import { eventually, processesRunning } from '../support/processes.ts';
import { startProxy } from '../support/proxy.ts';
import { freePort, makeKey, startSshd, type TestSshd, whyNoSshd } from '../support/sshd.ts';
import { suite } from '../support/suite.ts';

const skip = whyNoExecutable ?? whyNoSshd ?? false;
const isRoot = userInfo().uid === 0;

suite('connecting to a real sshd', skip, () => {
  let sshd: TestSshd;
  let program: Executable;
  before(async () => {
    sshd = await startSshd({ config: ['PasswordAuthentication yes'] });
    program = installExecutable();
  });
  after(async () => {
    await sshd.stop();
    program.remove();
  });

  const exec = (env: Record<string, string> = {}, ...flags: string[]) =>
    program.run(['windows', 'exec', ...flags, '--', 'echo hi'], { env: { ...sshd.env, ...env } });
  const set = (name: string, value: string | number) => ({ [`WIN_AUTOMATION_WINDOWS_SSH_${name}`]: String(value) });
  /** Runs while `act` fiddles with the log, and returns what sshd said meanwhile. */
  const logOf = async <T>(act: () => Promise<T>) => {
    const before = sshd.log().length;
    const finished = await act();
    return { finished, log: sshd.log().slice(before) };
  };

  it('succeeds with the configured key', async () => {
    const { exitCode, words } = await exec();
    assert.deepEqual([exitCode, words['stdout']], [0, 'hi\n']);
  });

  it('succeeds with an encrypted key and its passphrase', async () => {
    const key = makeKey(join(program.home, 'encrypted'), 'open sesame');
    allow(sshd, key);
    assert.equal((await exec({ ...set('IDENTITY_FILE', key), ...set('PASSPHRASE', 'open sesame') })).exitCode, 0);
    for (const [env, message] of [
      [{}, 'the key is encrypted'],
      [set('PASSPHRASE', 'wrong'), 'the passphrase does not open it'],
    ] as const) {
      const { exitCode, logs } = await exec({ ...set('IDENTITY_FILE', key), ...env });
      assert.equal(exitCode, 2);
      assert.deepEqual(
        logs.map((line) => line['msg']),
        [`windows.ssh_identity_file ${key}: ${message}`],
      );
    }
  });

  it('succeeds with a key that only an agent holds', async () => {
    const key = makeKey(join(program.home, 'in_agent'));
    allow(sshd, key);
    const socket = join(program.home, 'agent.sock');
    const agent = await startAgent(socket, key);
    try {
      const env = { ...set('IDENTITY_FILE', ''), SSH_AUTH_SOCK: socket };
      assert.equal((await exec(env)).exitCode, 0);
    } finally {
      agent.kill();
    }
  });

  it('succeeds with a default key where the agent is gone', async () => {
    mkdirSync(join(program.home, '.ssh'));
    const key = join(program.home, '.ssh', 'id_ed25519');
    copyFileSync(sshd.identityFile, key);
    const { exitCode, logs } = await exec({ ...set('IDENTITY_FILE', ''), SSH_AUTH_SOCK: '/nonexistent' });
    rmSync(key);
    assert.equal(exitCode, 0);
    assert.deepEqual(
      logs.map((line) => [line['level'], line['msg']]),
      [['warn', 'the agent gives no key']],
    );
  });

  it('is not tried with nothing to authenticate with', async () => {
    const { exitCode, logs } = await exec(set('IDENTITY_FILE', ''));
    assert.deepEqual([exitCode, logs[0]?.['msg']], [2, 'windows: there is nothing to authenticate with']);
  });

  it('succeeds with a password', { skip: isRoot ? false : 'setting a password needs root' }, async () => {
    execFileSync('chpasswd', { input: `${sshd.user}:pass-word-1\n` });
    const { exitCode, stderr } = await exec(
      {
        ...set('IDENTITY_FILE', ''),
        ...set('PASSWORD', 'pass-word-1'),
      },
      '--verbose',
    );
    assert.equal(exitCode, 0);
    assert.ok(!stderr.includes('pass-word-1'));
  });

  it('gives up a wrong key after one attempt, with exit 3', async () => {
    const key = makeKey(join(program.home, 'stranger'));
    const { finished, log } = await logOf(() => exec(set('IDENTITY_FILE', key)));
    assert.equal(finished.exitCode, 3);
    assert.deepEqual(
      finished.logs.map((line) => line['code']),
      ['ssh_authentication_failed'],
    );
    assert.equal(log.match(/Connection from/g)?.length, 1);
  });

  it('tries a refused port three times, 500 ms and 1 s apart, and ends with 3', async () => {
    const { exitCode, logs, durationMs } = await exec(set('PORT', await freePort()));
    assert.equal(exitCode, 3);
    assert.deepEqual(
      logs.map((line) => [line['level'], line['wait_ms'] ?? line['code']]),
      [
        ['warn', '500'],
        ['warn', '1000'],
        ['error', 'ssh_unreachable'],
      ],
    );
    assert.ok(durationMs >= 1_500 && durationMs < 3_000, `${durationMs} ms`);
  });

  it('ends with 4 at the deadline where a port takes connections and says nothing', async () => {
    const proxy = await startProxy(undefined);
    try {
      const { exitCode, durationMs, logs } = await exec(set('PORT', proxy.port), '--timeout', '2s');
      assert.equal(exitCode, 4);
      assert.ok(durationMs >= 2_000 && durationMs < 3_000, `${durationMs} ms`);
      assert.equal(logs.at(-1)?.['code'], 'timeout');
    } finally {
      await proxy.close();
    }
  });

  it('gives each attempt its own time, and tries again after a timeout', async () => {
    const proxy = await startProxy(undefined);
    try {
      const env = { ...set('PORT', proxy.port), WIN_AUTOMATION_TIMEOUT: '1s', WIN_AUTOMATION_RETRY_ATTEMPTS: '2' };
      const { exitCode, durationMs } = await exec(env);
      assert.equal(exitCode, 4);
      assert.equal(proxy.connections(), 2);
      assert.ok(durationMs >= 2_500 && durationMs < 3_500, `${durationMs} ms`);
    } finally {
      await proxy.close();
    }
  });

  it('tries again where the connection is cut before the command', async () => {
    const proxy = await startProxy(sshd.port, 2);
    try {
      const { exitCode, logs } = await exec({ ...set('PORT', proxy.port), ...set('HOST_KEY_POLICY', 'insecure') });
      assert.equal(exitCode, 0, JSON.stringify(logs));
      assert.equal(proxy.connections(), 3);
      assert.equal(logs.filter((line) => line['msg'] === 'trying again').length, 2);
    } finally {
      await proxy.close();
    }
  });

  it('ends with 3, and runs nothing twice, where the connection is cut during the command', async () => {
    const proxy = await startProxy(sshd.port);
    const marker = '2718281';
    try {
      const { exitCode, logs } = await program.run(['windows', 'exec', '--', `sleep ${marker}`], {
        env: { ...sshd.env, ...set('PORT', proxy.port), ...set('HOST_KEY_POLICY', 'insecure') },
        onStart: () => {
          void eventually('the command runs', () => processesRunning(`sleep ${marker}`).length > 0).then(() =>
            proxy.cut(),
          );
        },
      });
      assert.equal(exitCode, 3);
      assert.equal(logs.at(-1)?.['code'], 'ssh_connection_lost');
      assert.equal(proxy.connections(), 1);
    } finally {
      await proxy.close();
      // OpenSSH lets a command run on whose connection is gone.
      for (const pid of processesRunning(`sleep ${marker}`)) process.kill(pid);
    }
  });

  it('refuses a host key that changed, says where the old one stands, and how to forget it', async () => {
    const other = makeKey(join(program.home, 'other_host_key'));
    const knownHosts = join(program.home, 'changed');
    writeFileSync(knownHosts, `[127.0.0.1]:${sshd.port} ${readFileSync(`${other}.pub`, 'utf8')}`);
    for (const policy of ['accept-new', 'strict']) {
      const { exitCode, logs } = await exec({
        ...set('KNOWN_HOSTS_FILE', knownHosts),
        ...set('HOST_KEY_POLICY', policy),
      });
      assert.equal(exitCode, 3);
      assert.equal(logs.length, 1);
      assert.equal(logs[0]?.['code'], 'host_key_changed');
      assert.ok(logs[0]?.['msg']?.includes(`${knownHosts}:1`));
      assert.ok(logs[0]?.['hint']?.includes(`ssh-keygen -R '[127.0.0.1]:${sshd.port}' -f ${knownHosts}`));
    }
  });

  it('records a new host key under accept-new as ssh-keygen can find it, and knows it the next time', async () => {
    const knownHosts = join(program.home, 'deep', 'known_hosts');
    const env = set('KNOWN_HOSTS_FILE', knownHosts);
    assert.equal((await exec(env)).exitCode, 0);
    assert.equal(statSync(knownHosts).mode & 0o777, 0o600);
    const found = execFileSync('ssh-keygen', ['-F', `[127.0.0.1]:${sshd.port}`, '-f', knownHosts]).toString();
    assert.match(found, /ssh-ed25519/);
    assert.equal((await exec({ ...env, ...set('HOST_KEY_POLICY', 'strict') })).exitCode, 0);
    execFileSync('ssh-keygen', ['-H', '-f', knownHosts], { stdio: 'ignore' });
    assert.match(readFileSync(knownHosts, 'utf8'), /^\|1\|/);
    assert.equal((await exec({ ...env, ...set('HOST_KEY_POLICY', 'strict') })).exitCode, 0, 'a hashed entry is known');
  });

  it('refuses an unknown host under strict, and a revoked key always', async () => {
    const empty = join(program.home, 'empty');
    writeFileSync(empty, '');
    const strict = await exec({ ...set('KNOWN_HOSTS_FILE', empty), ...set('HOST_KEY_POLICY', 'strict') });
    assert.deepEqual([strict.exitCode, strict.logs[0]?.['code']], [3, 'host_key_unknown']);
    assert.equal(readFileSync(empty, 'utf8'), '');
    const revoked = join(program.home, 'revoked');
    writeFileSync(revoked, `@revoked * ${readFileSync(sshd.knownHostsFile, 'utf8').split(' ').slice(1).join(' ')}`);
    const refused = await exec(set('KNOWN_HOSTS_FILE', revoked));
    assert.deepEqual([refused.exitCode, refused.logs[0]?.['code']], [3, 'host_key_revoked']);
  });

  it('trusts no new key that it cannot record', async () => {
    const { exitCode, logs } = await exec(set('KNOWN_HOSTS_FILE', '/proc/known_hosts'));
    assert.deepEqual([exitCode, logs[0]?.['code']], [3, 'host_key_not_recorded']);
  });

  it('takes any key under insecure, and warns', async () => {
    const { exitCode, logs } = await exec({
      ...set('KNOWN_HOSTS_FILE', '/dev/null'),
      ...set('HOST_KEY_POLICY', 'insecure'),
    });
    assert.equal(exitCode, 0);
    assert.deepEqual(
      logs.map((line) => [line['level'], line['msg']]),
      [['warn', 'the host key is not checked']],
    );
  });

  it('says that a name does not exist, at once', async () => {
    const { exitCode, durationMs, logs } = await exec(set('HOST', 'no-such-host.invalid'));
    assert.equal(exitCode, 3);
    assert.equal(logs.at(-1)?.['code'], 'ssh_unreachable');
    assert.ok(durationMs < 10_000);
  });

  for (const [what, make] of [
    ['is missing', (home: string) => join(home, 'nothing')],
    ['is a folder', (home: string) => home],
    ['is no key', (home: string) => written(join(home, 'nokey'), 'hello')],
    ['is a public key', (home: string) => `${makeKey(join(home, 'pair'))}.pub`],
    ['is empty', (home: string) => written(join(home, 'emptykey'), '')],
  ] as const) {
    it(`refuses an identity file that ${what}, before it connects`, async () => {
      const path = make(program.home);
      const { finished, log } = await logOf(() => exec(set('IDENTITY_FILE', path)));
      assert.equal(finished.exitCode, 2);
      assert.equal(finished.logs.length, 1);
      assert.ok(finished.logs[0]?.['msg']?.startsWith(`windows.ssh_identity_file ${path}: `));
      assert.equal(log, '');
    });
  }

  it('prints an error as JSON under --json', async () => {
    const finished = await exec({ ...set('PORT', await freePort()), WIN_AUTOMATION_RETRY_ATTEMPTS: '1' }, '--json');
    const payload = JSON.parse(finished.stdout.toString());
    assert.deepEqual([payload.state, payload.error.code], ['error', 'ssh_unreachable']);
  });
});

function written(path: string, content: string): string {
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

function allow(sshd: TestSshd, key: string): void {
  const file = join(sshd.dir, 'authorized_keys');
  writeFileSync(file, readFileSync(file, 'utf8') + readFileSync(`${key}.pub`, 'utf8'));
  chmodSync(file, 0o644);
}

async function startAgent(socket: string, key: string): Promise<ChildProcess> {
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  const env = { PATH: '/usr/bin:/bin', SSH_AUTH_SOCK: socket };
  await eventually('the agent has the key', () => {
    try {
      execFileSync('ssh-add', [key], { env, stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
  return agent;
}
