import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { installExecutable, type RunOptions, whyNoExecutable } from '../support/executable.ts';
import { whyNoLab } from '../support/lab.ts';
import { LabAndProgram } from '../support/lab-and-program.ts';
import { grammarFaults } from '../support/powershell-grammar.ts';
import { eventually } from '../support/processes.ts';
import { suite } from '../support/suite.ts';
import { parseWords } from '../support/words.ts';

const skip = whyNoExecutable ?? whyNoLab ?? false;

suite('a Windows host (the lab)', skip, () => {
  const at = new LabAndProgram();
  const run = (args: readonly string[], options: RunOptions = {}) => at.run(args, options);
  const runJson = async (...args: string[]) => {
    const { exitCode, stdout } = await run([...args, '--json']);
    return { exitCode, payload: JSON.parse(stdout.toString()) };
  };
  const windowsFile = (name: string) => join(at.lab.state.root, ...name.split('\\').slice(1));

  it('answers the commands that people try first', async () => {
    const said = async (command: string) => (await run(['windows', 'exec', '--', command])).words['stdout'];
    assert.equal(await said('hostname'), 'LAB-WINDOWS\r\n');
    assert.equal(await said('whoami'), 'lab-windows\\administrator\r\n');
    assert.equal(await said('echo %COMPUTERNAME% & echo two'), 'LAB-WINDOWS \r\ntwo\r\n');
    assert.match((await said('ver')) ?? '', /Microsoft Windows/);
    assert.match((await said('dir C:\\')) ?? '', /<DIR>\s+ProgramData/);
  });

  it('answers an unknown command as Windows does, and tells whoever runs the lab', async () => {
    const { exitCode, words } = await run(['windows', 'exec', '--', 'frobnicate --all']);
    assert.deepEqual([exitCode, words['exit_code']], [1, '1']);
    assert.match(words['stderr'] ?? '', /'frobnicate' is not recognized/);
    assert.ok(at.lab.notes.includes('the lab does not know: frobnicate --all'));
  });

  it('runs a PowerShell script with named parameters, whatever characters are in them', async () => {
    const file = join(at.program.home, 'greet.ps1');
    writeFileSync(file, 'param([string]$Name)\nWrite-Output "<$Name>"\nexit 5\n');
    const name = `it's "q" & ü`;
    const { exitCode, words } = await run(['windows', 'script', file, '--propagate-exit', '--param', `Name=${name}`]);
    assert.deepEqual([exitCode, words['stdout']], [5, `<${name}>\r\n`]);
  });

  it('runs a script too long for a command line from standard input, and leaves no file', async () => {
    const file = join(at.program.home, 'long.ps1');
    writeFileSync(file, `# ${'x'.repeat(20_000)}\nWrite-Output 'done'\n`);
    const { words } = await run(['windows', 'script', file]);
    assert.equal(words['stdout'], 'done\r\n');
    assert.ok((at.lab.started.at(-1)?.length ?? 0) < 4_000);
    assert.deepEqual(
      readdirSync(at.lab.state.homeDir).filter((entry) => entry.endsWith('.ps1')),
      [],
    );
  });

  it('gives the errors of PowerShell as text', async () => {
    const file = join(at.program.home, 'throw.ps1');
    writeFileSync(file, "throw 'a < b & c'\n");
    const { exitCode, words } = await run(['windows', 'script', file]);
    assert.equal(exitCode, 1);
    assert.match(words['stderr'] ?? '', /a < b & c/);
    assert.doesNotMatch(words['stderr'] ?? '', /CLIXML/);
  });

  it('puts a folder and gets it back, verified on both sides', async () => {
    const from = join(at.program.home, 'site');
    mkdirSync(join(from, 'deep/er'), { recursive: true });
    writeFileSync(join(from, 'index.html'), '<p>hi');
    writeFileSync(join(from, 'deep/er/blob'), Buffer.alloc(100_000, 7));
    const put = await run(['windows', 'put', '--recursive', '--verify', from, 'C:\\site\\']);
    assert.deepEqual([put.exitCode, put.words['files'], put.words['verified']], [0, '2', 'sha256']);
    const get = await run([
      'windows',
      'get',
      '--recursive',
      '--verify',
      'C:\\site\\site',
      join(at.program.home, 'back'),
    ]);
    assert.deepEqual([get.exitCode, get.words['size_bytes']], [0, '100005']);
    assert.equal(readFileSync(join(at.program.home, 'back/deep/er/blob')).length, 100_000);
  });

  it('refuses a folder without --recursive, and a file that is not there', async () => {
    assert.equal((await run(['windows', 'put', at.program.home, 'C:\\x'])).exitCode, 2);
    const { exitCode, logs } = await run(['windows', 'get', 'C:\\no\\such', '.']);
    assert.deepEqual([exitCode, logs.at(-1)?.['code']], [1, 'file_failed']);
  });

  it('leaves no half file under the final name when it is killed in the middle of a put', async () => {
    const big = join(at.program.home, 'big');
    writeFileSync(big, Buffer.alloc(300_000_000));
    const partly = () => readdirSync(at.lab.state.root).some((entry) => entry.startsWith('big.bin.part-'));
    const { exitCode } = await run(['windows', 'put', big, 'C:\\big.bin'], {
      onStart: (child) => void eventually('the upload has begun', partly).then(() => child.kill('SIGKILL')),
    });
    assert.equal(exitCode, null);
    assert.equal(existsSync(windowsFile('C:\\big.bin')), false);
  });

  it('removes the half file when a put is interrupted', async () => {
    const big = join(at.program.home, 'big');
    const partly = () => readdirSync(at.lab.state.root).some((entry) => entry.startsWith('other.bin.part-'));
    const { exitCode } = await run(['windows', 'put', big, 'C:\\other.bin'], {
      onStart: (child) => void eventually('the upload has begun', partly).then(() => child.kill('SIGINT')),
    });
    assert.equal(exitCode, 130);
    assert.deepEqual([partly(), existsSync(windowsFile('C:\\other.bin'))], [false, false]);
  });

  for (const shell of ['auto', 'cmd', 'powershell', 'pwsh']) {
    it(`leaves no process behind after a timeout, with --shell ${shell}`, async () => {
      const args = ['windows', 'exec', '--shell', shell, '--timeout', '1s', '--', 'ping -n 60 10.0.0.1'];
      const { exitCode, words } = await run(args);
      assert.deepEqual([exitCode, words['state']], [4, 'timeout']);
      const left = [...at.lab.state.processes.values()].filter(({ commandLine }) => commandLine.includes('10.0.0.1'));
      assert.deepEqual(left, []);
    });
  }

  it('tells everything about the host under windows status, with one PowerShell for all of it', async () => {
    const before = at.lab.started.length;
    const { exitCode, payload } = await runJson('windows', 'status');
    assert.equal(exitCode, 0);
    assert.deepEqual(payload.gui, { state: 'open' });
    assert.equal(payload.facts.hostname, 'LAB-WINDOWS');
    assert.deepEqual(
      payload.firewall.map((rule: { port: number; allows: boolean }) => [rule.port, rule.allows]),
      [
        [7887, true],
        [7888, true],
        [9323, true],
      ],
    );
    const shells = at.lab.started.slice(before).filter((line) => line.startsWith('powershell.exe'));
    assert.equal(shells.length, 1);
  });

  it('takes a picture of the desktop', async () => {
    const file = join(at.program.home, 'desktop.png');
    const { exitCode, words } = await run(['windows', 'screenshot', '--out', file]);
    assert.equal(exitCode, 0);
    assert.equal(readFileSync(file).subarray(1, 4).toString(), 'PNG');
    assert.equal(words['size_bytes'], String(statSync(file).size));
    assert.deepEqual(readdirSync(windowsFile('C:\\ProgramData\\win-automation\\screenshots')), []);
  });

  for (const [fault, reason] of [
    ['locked', 'locked'],
    ['disconnected', 'disconnected'],
    ['nobody', 'nobody_logged_on'],
  ] as const) {
    it(`is blocked, with exit 1, where the desktop is ${fault}`, async () => {
      await at.lab.setFault(fault, true);
      const file = join(at.program.home, `${fault}.png`);
      const { exitCode, words } = await run(['windows', 'screenshot', '--out', file]);
      await at.lab.setFault(fault, false);
      assert.deepEqual([exitCode, words['state'], words['reason']], [1, 'blocked', reason]);
      assert.equal(existsSync(file), false);
    });
  }

  it('makes a host ready under windows bootstrap --apply, and changes nothing the second time', async () => {
    await at.lab.setFault('firewall', true);
    const first = await runJson('windows', 'bootstrap', '--apply');
    const second = await runJson('windows', 'bootstrap', '--apply');
    assert.deepEqual([first.exitCode, second.exitCode], [0, 0]);
    const changed = ({ payload }: typeof first) =>
      payload.steps.filter(({ state }: { state: string }) => state === 'changed').length;
    assert.deepEqual([changed(first), changed(second)], [3, 0]);
  });

  it('prints a bootstrap script that a real PowerShell grammar takes', async () => {
    const { stdout } = await at.program.run(['windows', 'bootstrap']);
    assert.deepEqual(await grammarFaults(stdout.toString()), []);
  });

  it('refuses a bootstrap key that is no public key', async () => {
    const file = join(at.program.home, 'not-a-key');
    writeFileSync(file, 'ssh-ed25519 AAAA\nssh-ed25519 BBBB');
    assert.equal((await at.program.run(['windows', 'bootstrap', '--key', file])).exitCode, 2);
  });

  it('passes its own selftest, and leaves the host as it was', async () => {
    const tasks = [...at.lab.state.tasks.keys()];
    const { exitCode, stdout } = await run(['windows', 'selftest']);
    const lines = stdout.toString().trimEnd().split('\n').map(parseWords);
    assert.equal(exitCode, 0, stdout.toString());
    assert.deepEqual(
      lines.filter(({ state }) => state === 'failed'),
      [],
    );
    assert.equal(lines.at(-1)?.['failed'], '0');
    assert.deepEqual([...at.lab.state.tasks.keys()], tasks);
    assert.equal(at.lab.state.firewall.has('WinAutomation-Selftest'), false);
  });

  it('fails the selftest, naming the test, where the host breaks a contract', async () => {
    await at.lab.setFault('nobody', true);
    const { payload } = await runJson('windows', 'selftest');
    await at.lab.setFault('nobody', false);
    const states = Object.fromEntries(
      payload.tests.map((one: { test: string; state: string }) => [one.test, one.state]),
    );
    assert.equal(states['the desktop can be seen from the logged-on session'], 'skipped');
  });

  it('tells that a connection was cut in the middle of a command', async () => {
    await at.lab.setFault('ssh-reset', true);
    const { exitCode, logs } = await run(['windows', 'exec', '--', 'ping -n 30 127.0.0.1']);
    await at.lab.setFault('ssh-reset', false);
    assert.deepEqual([exitCode, logs.at(-1)?.['code']], [3, 'ssh_connection_lost']);
  });
});

suite('lab', skip, () => {
  it('prints an environment that works in another terminal, and takes faults while it runs', async () => {
    const program = installExecutable();
    const state = { WIN_AUTOMATION_STATE_DIR: join(program.home, 'state') };
    let printed = '';
    let stop = () => undefined as unknown;
    const running = program.run(['lab'], {
      env: state,
      onStart: (child) => {
        stop = () => child.kill('SIGINT');
        child.stdout?.on('data', (chunk) => {
          printed += chunk;
        });
      },
    });
    try {
      await eventually('the lab prints its environment', () => printed.includes('ALOHA_CLIENT_URL'), 10_000);
      const env = Object.fromEntries(
        [...printed.matchAll(/^export (\w+)='(.*)'$/gm)].map(([, key = '', value = '']) => [key, value]),
      );
      const exec = () => program.run(['windows', 'exec', '--', 'hostname'], { env });
      assert.equal((await exec()).words['stdout'], 'LAB-WINDOWS\r\n');
      const fault = (...args: string[]) => program.run(['lab', 'fault', ...args], { env });
      assert.equal((await fault('locked')).words['faults'], 'locked');
      const shot = await program.run(['windows', 'screenshot', '--out', 'x.png'], { env });
      assert.equal(shot.words['reason'], 'locked');
      assert.equal((await fault('locked', '--off')).words['faults'], '');
      assert.match((await fault('lokced')).stderr, /did you mean locked/);
      await fault('host-key-changed');
      assert.equal((await exec()).exitCode, 3);
    } finally {
      stop();
      await running;
    }
    const gone = await program.run(['lab', 'fault', 'locked'], { env: state });
    assert.deepEqual([gone.exitCode, gone.logs.at(-1)?.['msg']], [3, 'no lab is running']);
    program.remove();
  });
});
