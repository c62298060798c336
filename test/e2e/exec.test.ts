import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import * as v from 'valibot';
import { execPayloadSchema } from '../../src/cli/windows/exec-payload.ts';
import { type Executable, installExecutable, type RunOptions, whyNoExecutable } from '../support/executable.ts';
import { eventually, processesRunning } from '../support/processes.ts';
import { installPowershellShim } from '../support/shims.ts';
import { startSshd, type TestSshd, whyNoSshd } from '../support/sshd.ts';
import { suite } from '../support/suite.ts';

const skip = whyNoExecutable ?? whyNoSshd ?? false;

suite('windows exec', skip, () => {
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
    rmSync(shims, { recursive: true });
  });

  const exec = (args: readonly string[], options: RunOptions = {}) =>
    program.run(['windows', 'exec', ...args], { ...options, env: { ...sshd.env, ...options.env } });
  const execJson = async (...args: string[]) => {
    const { exitCode, stdout } = await exec(['--json', ...args]);
    return { exitCode, payload: v.parse(execPayloadSchema, JSON.parse(stdout.toString())) };
  };

  for (const [remote, exitCode] of [
    [0, 0],
    [1, 1],
    [7, 1],
    [255, 1],
  ] as const) {
    it(`ends with ${exitCode} where the command ends with ${remote}`, async () => {
      const finished = await exec(['--', `echo out; echo err >&2; exit ${remote}`]);
      assert.equal(finished.exitCode, exitCode);
      const { duration_ms, ...words } = finished.words;
      assert.match(duration_ms ?? '', /^\d+$/);
      assert.deepEqual(words, {
        state: remote === 0 ? 'completed' : 'failed',
        exit_code: String(remote),
        stdout: 'out\n',
        stderr: 'err\n',
      });
    });
  }

  it("ends with the remote's own code under --propagate-exit", async () => {
    const finished = await exec(['--raw', '--propagate-exit', '--', 'echo hi; exit 7']);
    assert.equal(finished.stdout.toString(), 'hi\n');
    assert.equal(finished.exitCode, 7);
    assert.equal((await exec(['--propagate-exit', '--', 'true'])).exitCode, 0);
  });

  it('passes both streams through under --raw, byte for byte', async () => {
    const finished = await exec(['--raw', '--', "printf 'a\\r\\n\\0\\377'; printf 'b\\r\\n' >&2"]);
    assert.deepEqual(finished.stdout, Buffer.from('a\r\n\0\xff', 'latin1'));
    assert.equal(finished.stderr, 'b\r\n');
    assert.equal(finished.exitCode, 0);
  });

  it('joins the words behind -- by spaces and leaves the rest to the shell of the host', async () => {
    assert.equal(
      (await exec(['--raw', '--', 'echo', 'a  b', '$((1+1))', '--json'])).stdout.toString(),
      'a b 2 --json\n',
    );
  });

  it('prints a payload for a command that prints nothing', async () => {
    const { payload, exitCode } = await execJson('--', 'true');
    assert.equal(exitCode, 0);
    assert.deepEqual(payload.stdout, { text: '', encoding: 'utf-8', size_bytes: 0, truncated: false });
  });

  it('keeps CRLF, and puts binary output into base64', async () => {
    assert.equal((await execJson('--', "printf 'a\\r\\nb'")).payload.stdout.text, 'a\r\nb');
    const { stdout } = (await execJson('--', "printf '\\377\\376'")).payload;
    assert.deepEqual([stdout.text, stdout.encoding], ['//4=', 'base64']);
    assert.equal((await exec(['--', "printf '\\377\\376'"])).words['stdout_base64'], '//4=');
  });

  it('tells a command that a signal killed', async () => {
    const { payload, exitCode } = await execJson('--', 'kill -9 $$');
    assert.deepEqual([payload.state, payload.exit_code, payload.signal, exitCode], ['failed', null, 'KILL', 1]);
    assert.equal((await exec(['--propagate-exit', '--', 'kill -9 $$'])).exitCode, 137);
  });

  it('does not wait for what a command left running, and leaves it alone', async () => {
    const { payload, exitCode } = await execJson('--', 'sleep 7.25 & echo hi; exit 3');
    assert.deepEqual([payload.state, payload.exit_code, payload.detached, exitCode], ['failed', 3, true, 1]);
    assert.equal(payload.stdout.text, 'hi\n');
    assert.ok(payload.duration_ms < 4_000, `${payload.duration_ms} ms`);
    assert.equal((await processesRunning('sleep 7.25')).length, 1);
  });

  it('waits while something still comes from what a command left running', async () => {
    const { payload } = await execJson('--', '(for i in 1 2 3 4; do sleep 0.6; echo $i; done) & echo hi');
    assert.deepEqual([payload.stdout.text, payload.detached], ['hi\n1\n2\n3\n4\n', undefined]);
  });

  it('waits until the streams close with --drain 0s, and keeps the exit code at the deadline', async () => {
    const all = await execJson('--drain', '0s', '--', '(sleep 1.5; echo late) & echo hi');
    assert.deepEqual([all.payload.stdout.text, all.payload.detached], ['hi\nlate\n', undefined]);
    const { payload } = await execJson('--drain', '0s', '--timeout', '1s', '--', 'sleep 7.5 & echo hi; exit 4');
    assert.deepEqual([payload.state, payload.exit_code, payload.detached], ['failed', 4, true]);
  });

  it('keeps 8 MiB of each stream, and says so', async () => {
    const { payload } = await execJson('--', "head -c 10000000 /dev/zero | tr '\\0' x; echo small >&2");
    assert.deepEqual(
      [payload.stdout.text.length, payload.stdout.size_bytes, payload.stdout.truncated],
      [8 * 1024 * 1024, 10_000_000, true],
    );
    assert.equal(payload.stderr.truncated, false);
    const finished = await exec(['--', "head -c 10000000 /dev/zero | tr '\\0' x"]);
    assert.equal(finished.words['truncated'], 'true');
  });

  it('forwards standard input under --stdin, and only then', async () => {
    const input = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
    const finished = await exec(['--stdin', '--raw', '--', 'sha256sum'], { input });
    assert.equal(finished.stdout.toString().slice(0, 64), createHash('sha256').update(input).digest('hex'));
    assert.equal((await exec(['--raw', '--', 'wc -c'], { input })).stdout.toString().trim(), '0');
  });

  it('ends when the command does, even if its input is still open', async () => {
    const finished = await exec(['--stdin', '--raw', '--', 'head -c 3'], { input: 'x'.repeat(5_000_000) });
    assert.equal(finished.stdout.toString(), 'xxx');
    assert.equal(finished.exitCode, 0);
  });

  it('streams 1 GiB in less than 150 MB of memory', async () => {
    const finished = await exec(['--raw', '--', 'head -c 1073741824 /dev/zero'], { isDiscarded: true });
    assert.equal(finished.exitCode, 0);
    assert.ok(finished.peakRssBytes > 0 && finished.peakRssBytes < 150e6, `${finished.peakRssBytes / 1e6} MB`);
  });

  it('ends the remote command when nobody reads its output any more', async () => {
    const marker = 'wa-epipe-marker';
    const finished = await exec(['--raw', '--', `yes ${marker}`], { onStart: (child) => child.stdout?.destroy() });
    assert.equal(finished.exitCode, 1);
    await eventually('the remote process is gone', () => processesRunning(`yes ${marker}`).length === 0);
  });

  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`ends with ${exitCode} on ${signal}, and the remote command with it`, async () => {
      const marker = `31${exitCode}`;
      const finished = await exec(['--', `echo begun; sleep ${marker}`], {
        onStart: (child) => {
          void eventually('the command runs', () => processesRunning(`sleep ${marker}`).length > 0).then(() =>
            child.kill(signal),
          );
        },
      });
      assert.equal(finished.exitCode, exitCode);
      assert.deepEqual([finished.words['state'], finished.words['stdout']], ['cancelled', 'begun\n']);
      assert.deepEqual(processesRunning(`sleep ${marker}`), []);
    });
  }

  it('ends with 4 at the deadline, and the remote command with it, even one that ignores TERM', async () => {
    const finished = await exec(['--timeout', '1s', '--', "trap '' TERM; sleep 3141; sleep 3142"]);
    assert.equal(finished.exitCode, 4);
    assert.equal(finished.words['state'], 'timeout');
    assert.ok(finished.durationMs < 3_000, `${finished.durationMs} ms`);
    assert.deepEqual(processesRunning('sleep 314'), []);
  });

  it('skips a command whose idempotency check holds', async () => {
    const skipped = await exec(['--idempotent', '--idempotent-check', 'exit 0', '--', 'echo ran']);
    assert.equal(skipped.exitCode, 0);
    assert.deepEqual([skipped.words['state'], skipped.words['stdout']], ['skipped', '']);
    const ran = await exec(['--idempotent', '--idempotent-check', 'exit 1', '--', 'echo ran']);
    assert.deepEqual([ran.words['state'], ran.words['stdout']], ['completed', 'ran\n']);
  });

  for (const args of [
    [],
    ['--'],
    ['--', ' '],
    ['--timeout', '10', '--', 'true'],
    ['--timeout', '0s', '--', 'true'],
    ['--idempotent', '--', 'true'],
    ['--idempotent-check', 'exit 0', '--', 'true'],
    ['--host', 'nobody', '--', 'true'],
  ]) {
    it(`refuses ${JSON.stringify(args)} and connects to nothing`, async () => {
      const before = sshd.log().length;
      const finished = await exec(args);
      assert.equal(finished.exitCode, 2);
      assert.equal(finished.stdout.length, 0);
      assert.deepEqual(
        finished.logs.map((line) => line['level']),
        ['error'],
      );
      assert.equal(sshd.log().length, before);
    });
  }
});

/** Stands where Windows has powershell: runs the `exit N` of an encoded script, which is all that the test sends. */
