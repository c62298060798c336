import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { verifyArtifacts } from '../../src/artifacts/verify.ts';
import { whyNoExecutable } from '../support/executable.ts';
import { HatchetServer, whyNoHatchet } from '../support/hatchet-server.ts';
import { JobsHarness } from '../support/jobs.ts';
import { whyNoLab } from '../support/lab.ts';
import { eventually } from '../support/processes.ts';
import { suite } from '../support/suite.ts';

const version = 'v0.105.0';

suite('Hatchet', whyNoExecutable ?? whyNoLab ?? whyNoHatchet(version), () => {
  let server: HatchetServer;
  let other: HatchetServer;
  before(async () => {
    [server, other] = await Promise.all([HatchetServer.start(version), HatchetServer.start(version)]);
  });
  after(async () => {
    await Promise.all([server.close(), other.close()]);
  });
  let count = 0;
  const h = new JobsHarness(() => {
    count += 1;
    return { ...server.env(), WIN_AUTOMATION_HATCHET_NAMESPACE: `f${count}`, WIN_AUTOMATION_TIMEOUT: '5s' };
  });

  const list = () => h.run(['jobs', 'list']);
  /** How often a job was run: each run starts one cmd.exe. */
  const timesRun = (text: string) => h.lab.started.filter((line) => /^cmd/.test(line) && line.includes(text)).length;

  for (const [what, token, code] of [
    ['that is no token', 'not-a-token', 'hatchet_refused'],
    ['whose claims are no JSON', 'a.b.c', 'hatchet_refused'],
    [
      'that is over',
      `x.${Buffer.from('{"sub":"707d0855-80ab-4e1f-a156-f1c4546cbf52","exp":1}').toString('base64url')}.x`,
      'hatchet_refused',
    ],
  ] as const) {
    it(`refuses a token ${what} before anything is asked, and shows nothing of it`, async () => {
      h.env['WIN_AUTOMATION_HATCHET_TOKEN'] = token;
      const { exitCode, logs, stderr } = await list();
      assert.deepEqual([exitCode, logs.at(-1)?.['code']], [3, code]);
      assert.ok(!stderr.includes(token));
    });
  }

  it('refuses to go on without a token where it is asked for by name', async () => {
    delete h.env['WIN_AUTOMATION_HATCHET_TOKEN'];
    h.env['WIN_AUTOMATION_JOBS_ENGINE'] = 'hatchet';
    const { exitCode, logs } = await list();
    assert.deepEqual([exitCode, logs.at(-1)?.['code']], [3, 'hatchet_refused']);
    assert.match(logs.at(-1)?.['hint'] ?? '', /WIN_AUTOMATION_HATCHET_TOKEN/);
  });

  it("refuses another server's token, in a command and in a worker", async () => {
    h.env['WIN_AUTOMATION_HATCHET_TOKEN'] = other.token();
    for (const args of [['jobs', 'list'], ['jobs', 'enqueue', '--type', 'artifacts.gc'], ['worker']]) {
      const { exitCode, logs } = await h.run(args);
      assert.deepEqual([args[0], exitCode, logs.at(-1)?.['code']], [args[0], 3, 'hatchet_refused']);
    }
  });

  it('is unreachable at a wrong address: exit 3, and what to look at', async () => {
    h.env['WIN_AUTOMATION_HATCHET_HTTP_URL'] = 'http://127.0.0.1:1';
    h.env['WIN_AUTOMATION_HATCHET_GRPC_ADDRESS'] = '127.0.0.1:1';
    const { exitCode, logs } = await h.run(['jobs', 'enqueue', '--type', 'artifacts.gc']);
    assert.deepEqual([exitCode, logs.at(-1)?.['code']], [3, 'hatchet_unreachable']);
    assert.equal((await h.run(['hatchet', 'status'])).exitCode, 3);
  });

  it('is unreachable where one side wants TLS and the other has none', async () => {
    h.startWorker();
    h.env['WIN_AUTOMATION_HATCHET_TLS_STRATEGY'] = 'tls';
    h.env['WIN_AUTOMATION_HATCHET_GRPC_ADDRESS'] = `localhost:${server.grpcPort}`;
    const { exitCode, logs } = await h.run(['jobs', 'enqueue', '--type', 'artifacts.gc']);
    assert.equal(exitCode, 3);
    assert.match(`${logs.at(-1)?.['hint']}`, /tls_strategy/);
  });

  it('tells of a job that waits though only its REST API can be reached', async () => {
    const id = await h.enqueue('--', 'hostname');
    await eventually('it is listed', async () => (await list()).stdout.includes(id));
    h.env['WIN_AUTOMATION_HATCHET_GRPC_ADDRESS'] = '127.0.0.1:1';
    assert.equal((await h.statusOf(id)).state, 'queued');
  });

  it('takes nothing from HATCHET_CLIENT_ variables, and says so', async () => {
    h.env['HATCHET_CLIENT_HOST_PORT'] = '127.0.0.1:1';
    h.env['HATCHET_CLIENT_TLS_STRATEGY'] = 'mtls';
    const { exitCode, logs } = await list();
    assert.equal(exitCode, 0);
    assert.ok(logs.some(({ msg = '' }) => msg.includes('HATCHET_CLIENT_HOST_PORT is set, but nothing reads it')));
  });

  it('tells how a job ended of which its REST API knows nothing', { timeout: 60_000 }, async () => {
    h.startWorker();
    const ends = [
      [await h.enqueue('--', 'echo hello'), 'completed', 0],
      [await h.enqueue('--', 'exit 7'), 'failed', 1],
    ] as const;
    for (const [id, state, exitCode] of ends) {
      await h.watch(id);
      const before = await h.statusOf(id);
      server.forget(id);
      const { error, result, ...after } = await h.statusOf(id);
      assert.deepEqual([after.state, result, error], [state, before.result, before.error]);
      assert.equal((await h.watch(id)).exitCode, exitCode);
      assert.equal((await h.run(['jobs', 'logs', '--id', id])).exitCode, 0);
    }
    assert.equal((await h.run(['jobs', 'status', '--id', randomUUID()])).exitCode, 1);
  });

  it('without its database is told as not ready, and goes on when it is back', { timeout: 240_000 }, async () => {
    h.startWorker();
    server.stopDatabase();
    try {
      const { exitCode, words } = await h.run(['hatchet', 'status']);
      assert.notEqual(exitCode, 0);
      assert.notEqual(words['ready'], 'true');
      const enqueued = await h.run(['jobs', 'enqueue', '--type', 'artifacts.gc']);
      assert.ok([1, 3, 4].includes(enqueued.exitCode ?? 0), enqueued.stderr);
    } finally {
      server.startDatabase();
    }
    await eventually('it is ready', async () => (await h.run(['hatchet', 'status'])).exitCode === 0, 30_000);
    const again = async () => (await h.run(['jobs', 'enqueue', '--type', 'artifacts.gc', '--watch'])).exitCode === 0;
    await eventually('jobs run', again, 60_000);
  });

  it('completes 1,000 jobs through two workers, of which one is killed half way', { timeout: 300_000 }, async () => {
    const many = 1_000;
    h.env['WIN_AUTOMATION_HATCHET_RETRY_MAX'] = '10';
    const enqueuer = fileOf('../support/enqueue-many.ts');
    const ids = await new Promise<string[]>((resolve, reject) => {
      const child = spawn(process.execPath, [enqueuer, `${many}`], {
        env: h.env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let printed = '';
      child.stdout.on('data', (chunk: Buffer) => {
        printed += chunk.toString();
      });
      child.once('error', reject);
      child.once('exit', (exit) =>
        exit === 0 ? resolve(printed.trim().split('\n')) : reject(new Error(`exit ${exit}`)),
      );
    });
    assert.equal(new Set(ids).size, many);
    // Half a second a job, so that the kill finds jobs in the middle.
    await h.lab.setFault('slow', true);
    const victim = h.startWorker(['--concurrency', '10']);
    h.startWorker(['--concurrency', '10']);
    const done = () => ids.filter((id) => existsSync(join(h.folder(id), 'manifest.json'))).length;
    await eventually('half is done', () => done() >= many / 2, 120_000);
    victim.kill('SIGKILL');
    await h.lab.setFault('slow', false);
    const states = async () => {
      const { stdout } = await h.run(['jobs', 'list', '--limit', `${many}`, '--json']);
      return stdout
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    };
    let jobs: { job_id: string; state: string; attempt: number }[] = [];
    const areOver = async () => {
      jobs = await states();
      return jobs.every(({ state }) => state !== 'queued' && state !== 'running');
    };
    await eventually('all are over', areOver, 180_000);
    assert.deepEqual([jobs.length, jobs.filter(({ state }) => state === 'completed').length], [many, many]);
    assert.ok(
      jobs.some(({ attempt }) => attempt > 1),
      'the kill hit no job',
    );
    for (const { job_id, attempt } of jobs) {
      const ran = timesRun(`echo job-${ids.indexOf(job_id)}.`);
      assert.ok(ran >= 1 && ran <= attempt, `${job_id} ran ${ran} times in ${attempt} tries`);
      const verified = await verifyArtifacts(h.folder(job_id), h.manifestOf(job_id), AbortSignal.timeout(10_000));
      assert.deepEqual(
        verified.filter(({ fault }) => fault !== undefined),
        [],
      );
    }
  });
});

const fileOf = (relative: string) => new URL(relative, import.meta.url).pathname;
