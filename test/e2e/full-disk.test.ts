import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, it } from 'node:test';
import { whyNoExecutable } from '../support/executable.ts';
import { whyNoLab } from '../support/lab.ts';
import { LabAndProgram } from '../support/lab-and-program.ts';
import { eventually } from '../support/processes.ts';
import { suite } from '../support/suite.ts';

/** A disk of 4 MiB of its own, or why there can be none. */
function mountSmallDisk(): { dir: string; why: string | false } {
  const dir = mkdtempSync(join(tmpdir(), 'wa-disk-'));
  if (userInfo().uid !== 0) return { dir, why: 'not root: no disk can be mounted' };
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', dir]);
  return { dir, why: status === 0 ? false : 'tmpfs can not be mounted here' };
}

const disk = whyNoExecutable === undefined && whyNoLab === undefined ? mountSmallDisk() : undefined;
const skip = whyNoExecutable ?? whyNoLab ?? disk?.why ?? false;

suite('a full disk', skip, () => {
  const at = new LabAndProgram();
  const filler = join(disk?.dir ?? '', 'filler');
  after(() => {
    spawnSync('umount', [disk?.dir ?? '']);
    rmSync(disk?.dir ?? '', { recursive: true, force: true });
  });

  it('is told clearly, and no job is lost by it', async () => {
    const env = { ...at.lab.env, WIN_AUTOMATION_STATE_DIR: join(disk?.dir ?? '', 'state') };
    const run = (...args: string[]) => at.program.run(args, { env });
    const enqueue = (...args: string[]) =>
      run('jobs', 'enqueue', '--type', 'windows.exec', ...args, '--', 'ping -n 3 127.0.0.1');
    const first = (await enqueue()).words['job_id'] ?? '';
    const worker = spawn(at.program.path, ['worker', '--lease', '20s'], {
      env: { PATH: process.env['PATH'] ?? '', HOME: at.program.home, ...env },
      cwd: at.program.home,
      stdio: 'ignore',
    });
    const state = async () => (await run('jobs', 'status', '--id', first)).words['state'];
    await eventually('it runs', async () => (await state()) === 'running');
    // Whatever is left goes to the filler.
    assert.throws(() => writeFileSync(filler, Buffer.alloc(8 * 1024 * 1024)), /ENOSPC/);
    let refused = await enqueue();
    for (let i = 0; i < 50 && refused.exitCode === 0; i += 1)
      refused = await enqueue('--idempotency-key', 'x'.repeat(4_000) + i);
    assert.deepEqual([refused.exitCode, refused.logs.at(-1)?.['code']], [1, 'store_failed']);
    assert.match(refused.logs.at(-1)?.['hint'] ?? '', /disk is full/);
    rmSync(filler);
    await eventually('the job that ran meanwhile is completed', async () => (await state()) === 'completed', 15_000);
    worker.kill('SIGKILL');
    assert.equal((await enqueue()).exitCode, 0);
  });

  it('ends a job whose artifacts it has no room for, at once and with one error', async () => {
    const env = { ...at.lab.env, WIN_AUTOMATION_ARTIFACT_OUT: join(disk?.dir ?? '', 'artifacts') };
    writeFileSync(join(at.program.home, 'long.ps1'), `'${'x'.repeat(900_000)}'\n`);
    const script = ['windows', 'script', 'long.ps1', '--artifacts', '--timeout', '30s'];
    const finished = [];
    for (let i = 0; i < 5; i += 1) finished.push(await at.program.run(script, { env }));
    const failed = finished.filter(({ exitCode }) => exitCode !== 0);
    assert.ok(failed.length > 0, 'the disk is not full yet');
    for (const { exitCode, logs, durationMs } of failed) {
      assert.equal(exitCode, 1);
      assert.equal(logs.at(-1)?.['code'], 'io_failed');
      assert.ok(durationMs < 10_000, `${durationMs} ms`);
    }
  });
});
