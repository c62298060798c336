import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import * as v from 'valibot';
import { jobPayloadSchema } from '../../src/cli/jobs/payload.ts';
import type { JobsHarness } from './jobs.ts';
import { eventually } from './processes.ts';
import { parseWords } from './words.ts';

/** What every engine promises, tried on the executable. Call it inside a suite. */
export function jobContract(h: JobsHarness, engine: 'local' | 'hatchet', has: { readonly idempotency: boolean }): void {
  it('run on a worker, and leave artifacts that verify', async () => {
    h.startWorker();
    const { exitCode, stdout } = await h.run([
      'jobs',
      'enqueue',
      '--type',
      'windows.exec',
      '--watch',
      '--',
      'hostname',
    ]);
    const last = parseWords(stdout.toString().trimEnd().split('\n').at(-1) ?? '');
    assert.deepEqual([exitCode, last['state'], last['engine']], [0, 'completed', engine]);
    const id = last['job_id'] ?? '';
    const { payload } = await h.json('jobs', 'status', '--id', id);
    v.parse(jobPayloadSchema, payload);
    assert.equal(payload.result.stdout.text, 'LAB-WINDOWS\r\n');
    assert.equal(readFileSync(join(h.folder(id), 'ssh/stdout.txt'), 'utf8'), 'LAB-WINDOWS\r\n');
    assert.equal(readFileSync(join(h.folder(id), 'ssh/exit_code.txt'), 'utf8'), '0\n');
    const manifest = h.manifestOf(id);
    assert.deepEqual([manifest.job_id, manifest.trace_id, manifest.state], [id, payload.trace_id, 'completed']);
    assert.equal(statSync(h.folder(id)).mode & 0o777, 0o700);
    assert.equal(statSync(join(h.folder(id), 'ssh/stdout.txt')).mode & 0o777, 0o600);
    assert.equal((await h.run(['artifacts', 'verify', '--job', id])).exitCode, 0);
    const out = join(h.program.home, 'copy');
    assert.equal((await h.run(['artifacts', 'fetch', '--job', id, '--out', out])).exitCode, 0);
    assert.equal(readFileSync(join(out, 'ssh/stdout.txt'), 'utf8'), 'LAB-WINDOWS\r\n');
  });

  it('fail where the command does, without another try: it may have done half its work', async () => {
    h.startWorker();
    const { exitCode } = await h.watch(await h.enqueue('--', 'exit 7'));
    assert.equal(exitCode, 1);
    const [job] = (await h.run(['jobs', 'list', '--json'])).stdout
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual([job.state, job.attempt, job.error.code, job.result.exit_code], ['failed', 1, 'remote_failed', 7]);
  });

  it('are tried again where the host can not be reached', async () => {
    h.env['WIN_AUTOMATION_WINDOWS_SSH_PORT'] = '1';
    h.env['WIN_AUTOMATION_RETRY_ATTEMPTS'] = '1';
    h.env['WIN_AUTOMATION_HATCHET_RETRY_MAX'] = '1';
    h.startWorker();
    const id = await h.enqueue('--', 'hostname');
    assert.equal((await h.watch(id)).exitCode, 1);
    const { attempt, error } = await h.statusOf(id);
    assert.deepEqual([attempt, error.code], [2, 'ssh_unreachable']);
    assert.equal(h.manifestOf(id).attempt, 2);
  });

  it('end with exit 4 at their timeout, and the remote process with them', async () => {
    h.startWorker();
    const id = await h.enqueue('--timeout', '1s', '--', 'ping -n 60 10.1.1.1');
    assert.equal((await h.watch(id)).exitCode, 4);
    assert.equal(h.runs('10.1.1.1'), false);
  });

  it('are cancelled while they wait, and while they run with the remote process', async () => {
    const waiting = await h.enqueue('--', 'hostname');
    assert.equal((await h.run(['jobs', 'cancel', '--id', waiting])).exitCode, 0);
    await eventually('it is cancelled', async () => (await h.statusOf(waiting)).state === 'cancelled');
    h.startWorker();
    const running = await h.enqueue('--', 'ping -n 60 10.2.2.2');
    await eventually('it runs', () => h.runs('10.2.2.2'), 15_000);
    assert.equal((await h.run(['jobs', 'cancel', '--id', running])).exitCode, 0);
    assert.equal((await h.watch(running)).exitCode, 1);
    assert.equal((await h.statusOf(running)).state, 'cancelled');
    await eventually('its process is gone', () => !h.runs('10.2.2.2'));
    await eventually('its manifest says so', () => h.manifestOf(running).state === 'cancelled');
  });

  it('that are over can not be cancelled: exit 1 and their state', async () => {
    h.startWorker();
    const id = await h.enqueue('--', 'hostname');
    await h.watch(id);
    const { exitCode, words } = await h.run(['jobs', 'cancel', '--id', id]);
    assert.deepEqual([exitCode, words['state']], [1, 'completed']);
  });

  it('that nobody knows are not_found, with exit 1', async () => {
    for (const verb of ['status', 'cancel', 'replay', 'logs', 'watch']) {
      const { exitCode, words } = await h.run(['jobs', verb, '--id', 'no-such-job']);
      assert.deepEqual([verb, exitCode, words['state']], [verb, 1, 'not_found']);
    }
  });

  it('with the same idempotency key are one job', {
    skip: has.idempotency ? false : 'this server has no keys',
  }, async () => {
    const [first, second] = [
      await h.enqueue('--idempotency-key', 'k', '--', 'hostname'),
      await h.enqueue('--idempotency-key', 'k', '--', 'ver'),
    ];
    assert.equal(first, second);
    const together = await Promise.all(
      Array.from({ length: 6 }, () => h.enqueue('--idempotency-key', 'many', '--', 'ver')),
    );
    assert.equal(new Set(together).size, 1);
  });

  it('are replayed under a new id', async () => {
    h.startWorker();
    const id = await h.enqueue('--', 'hostname');
    await h.watch(id);
    const { words } = await h.run(['jobs', 'replay', '--id', id]);
    assert.equal(words['replay_of'], id);
    assert.notEqual(words['job_id'], id);
    assert.equal((await h.watch(words['job_id'] ?? '')).exitCode, 0);
  });

  it('say that no worker would take them', async () => {
    const { words, logs } = await h.run(['jobs', 'enqueue', '--type', 'windows.exec', '--', 'hostname']);
    assert.equal(words['worker'], 'false');
    assert.match(logs.at(-1)?.['msg'] ?? '', /no live worker/);
  });

  it('keep their log', async () => {
    h.startWorker();
    const id = await h.enqueue('--', 'hostname');
    await h.watch(id);
    let lines: Record<string, string>[] = [];
    await eventually('the log is there', async () => {
      lines = (await h.run(['jobs', 'logs', '--id', id])).stdout
        .toString()
        .trimEnd()
        .split('\n')
        .filter(Boolean)
        .map(parseWords);
      return lines.some(({ msg }) => msg === 'ended');
    });
    assert.ok(lines.every(({ job_id }) => job_id === id));
  });

  it('on the desktop run one at a time', async () => {
    h.startWorker(['--concurrency', '4']);
    const ids = await Promise.all(
      [1, 2, 3].map(async (n) => {
        const { words } = await h.run(['jobs', 'enqueue', '--type', 'aloha.run', '--task', `task ${n}`]);
        return words['job_id'] ?? '';
      }),
    );
    for (const id of ids) assert.equal((await h.watch(id)).exitCode, 0);
    const spans = ids.map((id) => h.manifestOf(id)).sort((a, b) => a.started_at.localeCompare(b.started_at));
    for (const [i, span] of spans.slice(1).entries()) {
      assert.ok(span.started_at >= (spans[i]?.ended_at ?? ''), 'two at once');
    }
  });
}
