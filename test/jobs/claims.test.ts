import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Claims } from '../../src/jobs/engines/local/claims.ts';
import { LocalEngine } from '../../src/jobs/engines/local/engine.ts';
import { jobRequest } from '../support/job-request.ts';

const ok = { state: 'completed', result: { state: 'completed' }, error: undefined, isRetryable: false } as const;
const unreachable = {
  state: 'failed',
  result: undefined,
  error: { code: 'ssh_unreachable', message: 'refused' },
  isRetryable: true,
} as const;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('claims on the local store', () => {
  let dir: string;
  let engine: LocalEngine;
  const claims = (id: string, leaseMs = 10_000) => new Claims(engine.store, id, ['windows.exec', 'aloha.run'], leaseMs);
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'wa-claims-'));
    engine = new LocalEngine(join(dir, 'jobs.sqlite'));
  });
  afterEach(async () => {
    await engine[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  it('stand in files that nobody else may read, whatever the umask and what was there before', async () => {
    const path = join(dir, 'open.sqlite');
    writeFileSync(path, '', { mode: 0o644 });
    const umask = process.umask(0);
    try {
      await using opened = new LocalEngine(path);
      await opened.enqueue(jobRequest('a'));
      for (const name of ['', '-wal', '-shm']) assert.equal(statSync(`${path}${name}`).mode & 0o077, 0, name);
    } finally {
      process.umask(umask);
    }
  });

  it('give a job to one worker alone', async () => {
    await engine.enqueue(jobRequest('a'));
    assert.equal(claims('w1').claim(1)[0]?.jobId, 'a');
    assert.equal(claims('w2').claim(1)[0], undefined);
  });

  it('take the highest priority first, then the oldest', async () => {
    await engine.enqueue(jobRequest('low'));
    await engine.enqueue(jobRequest('high', { priority: 5 }));
    await engine.enqueue(jobRequest('low-2'));
    const worker = claims('w');
    assert.deepEqual(
      [worker.claim(1)[0]?.jobId, worker.claim(1)[0]?.jobId, worker.claim(1)[0]?.jobId],
      ['high', 'low', 'low-2'],
    );
  });

  it('keep those of a worker that slept past its lease, where nobody took them', async () => {
    await engine.enqueue(jobRequest('a'));
    const worker = claims('w1', 50);
    const held = worker.claim(1)[0];
    await pause(120);
    assert.deepEqual(worker.claim(1), []);
    assert.ok(held !== undefined);
    assert.equal(worker.finish(held, ok), 'completed');
    assert.equal((await engine.get('a'))?.attempt, 1);
  });

  it('do not begin a job of which an earlier try still runs in the same worker', async () => {
    await engine.enqueue(jobRequest('a'));
    const worker = claims('w1', 50);
    worker.claim(1);
    await pause(120);
    const other = claims('w2', 50).claim(1)[0];
    assert.equal(other?.attempt, 2);
    await pause(120);
    assert.deepEqual(worker.claim(1, ['a']), []);
    assert.equal(worker.claim(1)[0]?.attempt, 3);
  });

  it('end a job that was cancelled while its worker ended, or between two tries', async () => {
    for (const jobId of ['handed-back', 'tried-again']) {
      await engine.enqueue(jobRequest(jobId));
      const worker = claims('w1');
      const job = worker.claim(1)[0];
      assert.ok(job !== undefined);
      await engine.cancel(jobId);
      if (jobId === 'handed-back') worker.handBack(job);
      else worker.finish(job, unreachable);
      assert.equal((await engine.get(jobId))?.state, 'cancelled');
      assert.deepEqual(claims('w2').claim(1), []);
    }
  });

  it('let another have a job whose lease ran out, and count it as a try; what the first says then does not count', async () => {
    await engine.enqueue(jobRequest('a'));
    const first = claims('w1', 50);
    const lost = first.claim(1)[0];
    await pause(120);
    const again = claims('w2').claim(1)[0];
    assert.deepEqual([again?.jobId, again?.attempt], ['a', 2]);
    assert.ok(lost !== undefined);
    assert.equal(first.finish(lost, ok), undefined);
    assert.equal((await engine.get('a'))?.state, 'running');
  });

  it('hold a job as long as the heart beats', async () => {
    await engine.enqueue(jobRequest('a'));
    const first = claims('w1', 150);
    first.claim(1);
    for (let i = 0; i < 5; i += 1) {
      await pause(60);
      assert.deepEqual([...first.heartbeat().keys()], ['a']);
      assert.equal(claims('w2').claim(1)[0], undefined);
    }
  });

  it('end a job that was lost in its last try, or cancelled while its worker was gone', async () => {
    await engine.enqueue(jobRequest('last', { maxAttempts: 1 }));
    await engine.enqueue(jobRequest('cancelled'));
    const first = claims('w1', 30);
    first.claim(2);
    await engine.cancel('cancelled');
    await pause(80);
    assert.equal(claims('w2').claim(1)[0], undefined);
    const [last, cancelled] = [await engine.get('last'), await engine.get('cancelled')];
    assert.deepEqual([last?.state, last?.error?.code, cancelled?.state], ['failed', 'job_lost', 'cancelled']);
  });

  it('wait longer before each further try, and give up after the last', async () => {
    await engine.enqueue(jobRequest('a', { maxAttempts: 2 }));
    const worker = claims('w');
    const first = worker.claim(1)[0];
    assert.ok(first !== undefined);
    assert.equal(worker.finish(first, unreachable), 'queued');
    const waiting = await engine.get('a');
    assert.ok((waiting?.runAt.getTime() ?? 0) > Date.now() + 500);
    engine.store.run('UPDATE jobs SET run_at_ms = 0');
    const second = worker.claim(1)[0];
    assert.ok(second !== undefined);
    assert.equal(worker.finish(second, unreachable), 'failed');
  });

  it("use a host's desktop for one job at a time", async () => {
    await engine.enqueue(jobRequest('g1', { isGui: true, type: 'aloha.run' }));
    await engine.enqueue(jobRequest('g2', { isGui: true, type: 'aloha.run' }));
    await engine.enqueue(jobRequest('elsewhere', { isGui: true, type: 'aloha.run', host: 'beta' }));
    await engine.enqueue(jobRequest('ssh'));
    const worker = claims('w');
    const taken = worker.claim(3);
    assert.deepEqual(
      taken.map(({ jobId }) => jobId),
      ['g1', 'elsewhere', 'ssh'],
    );
    assert.equal(worker.claim(1)[0], undefined);
    assert.ok(taken[0] !== undefined);
    worker.finish(taken[0], ok);
    assert.equal(worker.claim(1)[0]?.jobId, 'g2');
  });

  it('survive a wall clock that jumps: leases count by the time since boot', async () => {
    await engine.enqueue(jobRequest('a'));
    claims('w1').claim(1);
    const real = Date.now;
    try {
      Date.now = () => real() + 86_400_000;
      assert.equal(claims('w2').claim(1)[0], undefined);
    } finally {
      Date.now = real;
    }
  });

  it('forget what was over long ago, and nothing else', async () => {
    await engine.enqueue(jobRequest('old'));
    await engine.enqueue(jobRequest('waiting'));
    const worker = claims('w');
    const job = worker.claim(1)[0];
    assert.ok(job !== undefined);
    worker.finish(job, ok);
    assert.equal(worker.forget(Date.now() - 1_000), 0);
    assert.equal(worker.forget(Date.now() + 1_000), 1);
    assert.deepEqual(
      (await engine.list({ limit: 10 })).map(({ jobId }) => jobId),
      ['waiting'],
    );
  });
});
