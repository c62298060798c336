import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { type Executable, installExecutable, whyNoExecutable } from '../support/executable.ts';
import { startTestLab, type TestLab, whyNoLab } from '../support/lab.ts';
import { suite } from '../support/suite.ts';
import { parseWords } from '../support/words.ts';

const skip = whyNoExecutable ?? whyNoLab ?? false;

suite('a fleet of hosts', skip, () => {
  const labs: TestLab[] = [];
  let program: Executable;
  let config: string;
  before(async () => {
    program = installExecutable();
    for (let i = 0; i < 3; i += 1) labs.push(await startTestLab());
    config = join(program.home, 'fleet.json');
    const [first] = labs;
    writeFileSync(
      config,
      JSON.stringify({
        ...hostOf(first?.env ?? {}),
        timeout: '2s',
        state_dir: join(program.home, 'state'),
        hosts: {
          gone: { windows: { ssh_port: 1 } },
          beta: hostOf(labs[1]?.env ?? {}),
          gamma: hostOf(labs[2]?.env ?? {}),
        },
        retry: { attempts: 1 },
      }),
    );
  });
  after(async () => {
    for (const lab of labs) await lab.close();
    program.remove();
  });
  const run = (...args: string[]) => program.run(['--config', config, ...args]);
  const order = ['default', 'gone', 'beta', 'gamma'];

  it('runs a command on every host, a line each in the order of the configuration, and ends with the worst', async () => {
    const { exitCode, stdout } = await run('windows', 'exec', '--all-hosts', '--', 'hostname');
    const lines = stdout.toString().trimEnd().split('\n').map(parseWords);
    assert.equal(exitCode, 3);
    assert.deepEqual(
      lines.map(({ host, state }) => `${host} ${state}`),
      ['default completed', 'gone error', 'beta completed', 'gamma completed'],
    );
  });

  it('gives a JSON document a host', async () => {
    const { stdout } = await run('windows', 'exec', '--all-hosts', '--json', '--parallel', '1', '--', 'hostname');
    const hosts = stdout
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).host);
    assert.deepEqual(hosts, order);
  });

  it('puts a file on every host', async () => {
    const file = join(program.home, 'f');
    writeFileSync(file, 'hi');
    await run('windows', 'put', file, 'C:\\f.txt', '--all-hosts');
    for (const lab of labs) assert.equal(readFileSync(join(lab.state.root, 'f.txt'), 'utf8'), 'hi');
  });

  it('is examined and supervised, each host with a memory of its own', async () => {
    const doctor = await run('doctor', '--all-hosts', '--json');
    assert.deepEqual(
      doctor.stdout
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).host),
      order,
    );
    await labs[2]?.setFault('aloha-client-dead', true);
    const { exitCode, stdout } = await run('supervisor', 'run', '--once', '--all-hosts', '--json');
    const passes = stdout
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(exitCode, 3);
    assert.deepEqual(
      passes.map(({ host, repaired }) => [host, repaired]),
      [
        ['default', 0],
        ['gone', 0],
        ['beta', 0],
        ['gamma', 1],
      ],
    );
    const state = JSON.parse(readFileSync(join(program.home, 'state/supervisor.json'), 'utf8'));
    assert.deepEqual(Object.keys(state.hosts).sort(), [...order].sort());
  });

  it('is repaired by doctor --fix', async () => {
    await labs[1]?.setFault('aloha-server-dead', true);
    const { exitCode } = await run('--host', 'beta', 'doctor', '--fix');
    assert.equal(exitCode, 0);
    assert.equal(labs[1]?.state.faults.has('aloha-server-dead'), false);
  });

  it('is passed over without the optimizing compiler, which nothing that is started from there hears of', async () => {
    const [told, begun] = [join(program.home, 'told'), join(program.home, 'begun')];
    const { exitCode, stderr } = await program.run(
      ['--config', config, 'supervisor', 'run', '--once', '--all-hosts', '--quiet'],
      {
        env: {
          WIN_AUTOMATION_SUPERVISOR_FAILPOINT: 'aloha_server',
          WIN_AUTOMATION_SUPERVISOR_ON_CHANGE_CMD: `env >> ${told}; tr '\\0' '\\n' < /proc/$PPID/environ >> ${begun}`,
        },
      },
    );
    assert.equal(exitCode, 3);
    assert.equal(stderr, '');
    assert.match(readFileSync(begun, 'utf8'), /^BUN_JSC_useDFGJIT=0$/m);
    assert.match(readFileSync(told, 'utf8'), /^WIN_AUTOMATION_SUPERVISOR_FAILPOINT=/m);
    assert.doesNotMatch(readFileSync(told, 'utf8'), /BUN_JSC/);
  });

  it('can be left by SIGTERM in the middle of a pass', async () => {
    await labs[0]?.setFault('aloha-hang', true);
    const { exitCode } = await program.run(['--config', config, 'supervisor', 'run', '--once', '--all-hosts'], {
      onStart: (child) => setTimeout(() => child.kill('SIGTERM'), 500),
    });
    await labs[0]?.setFault('aloha-hang', false);
    assert.equal(exitCode, 143);
  });

  for (const args of [
    ['windows', 'exec', '--all-hosts', '--raw', '--', 'x'],
    ['windows', 'exec', '--all-hosts', '--parallel', '0', '--', 'x'],
    ['--host', 'beta', 'doctor', '--all-hosts'],
  ]) {
    it(`refuses ${args.join(' ')}`, async () => assert.equal((await run(...args)).exitCode, 2));
  }
});

/** A lab's environment as the file has it. */
function hostOf(env: Readonly<Record<string, string>>) {
  return {
    windows: {
      ssh_host: env['WIN_AUTOMATION_WINDOWS_SSH_HOST'],
      ssh_port: Number(env['WIN_AUTOMATION_WINDOWS_SSH_PORT']),
      ssh_user: env['WIN_AUTOMATION_WINDOWS_SSH_USER'],
      ssh_identity_file: env['WIN_AUTOMATION_WINDOWS_SSH_IDENTITY_FILE'],
      ssh_known_hosts_file: env['WIN_AUTOMATION_WINDOWS_SSH_KNOWN_HOSTS_FILE'],
    },
    aloha: {
      server_url: env['WIN_AUTOMATION_ALOHA_SERVER_URL'],
      client_url: env['WIN_AUTOMATION_ALOHA_CLIENT_URL'],
      dir: env['WIN_AUTOMATION_ALOHA_DIR'],
      server_start_cmd: env['WIN_AUTOMATION_ALOHA_SERVER_START_CMD'],
      client_start_cmd: env['WIN_AUTOMATION_ALOHA_CLIENT_START_CMD'],
    },
  };
}
