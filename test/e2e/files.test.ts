import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { type Executable, installExecutable, whyNoExecutable } from '../support/executable.ts';
import { whyNoLab } from '../support/lab.ts';
import { installPowershellShim } from '../support/shims.ts';
import { startSshd, type TestSshd, whyNoSshd } from '../support/sshd.ts';
import { suite } from '../support/suite.ts';

const skip = whyNoExecutable ?? whyNoSshd ?? whyNoLab ?? false;

suite('windows put and get on a real sshd', skip, () => {
  let sshd: TestSshd;
  let program: Executable;
  let shims: string;
  before(async () => {
    shims = installPowershellShim(mkdtempSync(join(tmpdir(), 'wa-shims-')));
    sshd = await startSshd({ config: [`SetEnv PATH=${shims}:/usr/bin:/bin`] });
    program = installExecutable();
  });
  after(async () => {
    await sshd.stop();
    program.remove();
    rmSync(shims, { recursive: true, force: true });
  });
  const run = (...args: string[]) => program.run(['windows', ...args], { env: sshd.env });

  it('bring a file over and back, its SHA-256 compared on both sides', async () => {
    const bytes = randomBytes(3_000_001);
    writeFileSync(join(program.home, 'from'), bytes);
    const put = await run('put', '--verify', join(program.home, 'from'), 'wa-test-file');
    assert.deepEqual(
      [put.exitCode, put.words['verified'], put.words['size_bytes']],
      [0, 'sha256', '3000001'],
      put.stderr,
    );
    const get = await run('get', '--verify', 'wa-test-file', join(program.home, 'to'));
    assert.equal(get.exitCode, 0, get.stderr);
    assert.ok(readFileSync(join(program.home, 'to')).equals(bytes));
    await run('exec', '--', 'rm wa-test-file');
  });

  it('replace a file at once, where the server can', async () => {
    for (const text of ['old', 'new']) {
      writeFileSync(join(program.home, 'v'), text);
      assert.equal((await run('put', join(program.home, 'v'), 'wa-test-v')).exitCode, 0);
    }
    assert.equal(
      (await run('exec', '--', 'cat wa-test-v; rm wa-test-v; ls -a | grep -c part-')).words['stdout'],
      'new0\n',
    );
  });

  it('hold less than 150 MB for 512 MiB in either direction', async () => {
    const file = join(program.home, 'big');
    writeFileSync(file, Buffer.alloc(512 * 1024 * 1024, 'x'));
    const put = await run('put', file, 'wa-test-big');
    const get = await run('get', 'wa-test-big', join(program.home, 'back'));
    await run('exec', '--', 'rm wa-test-big');
    for (const { exitCode, peakRssBytes } of [put, get]) {
      assert.equal(exitCode, 0);
      assert.ok(peakRssBytes > 0 && peakRssBytes < 150e6, `${peakRssBytes / 1e6} MB`);
    }
    const hashOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
    assert.equal(hashOf(join(program.home, 'back')), hashOf(file));
  });

  it("run our scripts and the user's through powershell behind sshd", async () => {
    const file = join(program.home, 'hello.ps1');
    writeFileSync(file, 'param($Name)\nWrite-Output "hello $Name"\nexit 3\n');
    const { exitCode, words } = await run('script', file, '--propagate-exit', '--param', 'Name=sshd');
    assert.deepEqual([exitCode, words['stdout']], [3, 'hello sshd\r\n']);
  });
});
