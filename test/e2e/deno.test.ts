import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, it } from 'node:test';
import { runProgram } from '../support/executable.ts';
import { startSshd, type TestSshd, whyNoSshd } from '../support/sshd.ts';
import { suite } from '../support/suite.ts';

const deno = resolve('node_modules/.bin/deno');
const skip = whyNoSshd ?? (existsSync(deno) ? false : 'no deno in node_modules: npm ci');

suite('the source under Deno', skip, () => {
  let sshd: TestSshd;
  before(async () => {
    sshd = await startSshd();
  });
  after(() => sshd.stop());

  const run = (...args: string[]) =>
    runProgram([deno, 'run', '-A', '--node-modules-dir=manual', resolve('src/main.ts'), ...args], sshd.dir, {
      env: sshd.env,
    });

  it('runs a command on a real sshd', async () => {
    const { exitCode, words } = await run('windows', 'exec', '--', 'echo hi; exit 7');
    assert.deepEqual([exitCode, words['state'], words['exit_code'], words['stdout']], [1, 'failed', '7', 'hi\n']);
  });

  it('streams bytes as they are, and ends with the remote code', async () => {
    const { exitCode, stdout } = await run(
      'windows',
      'exec',
      '--raw',
      '--propagate-exit',
      '--',
      "printf '\\377\\0'; exit 3",
    );
    assert.deepEqual([exitCode, [...stdout]], [3, [255, 0]]);
  });

  it('prints its version', async () => assert.equal((await run('--version')).exitCode, 0));
});
