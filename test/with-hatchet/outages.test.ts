import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { after, before, it } from 'node:test';
import { whyNoExecutable } from '../support/executable.ts';
import { HatchetServer, whyNoHatchet } from '../support/hatchet-server.ts';
import { JobsHarness } from '../support/jobs.ts';
import { whyNoLab } from '../support/lab.ts';
import { eventually } from '../support/processes.ts';
import { startProxy } from '../support/proxy.ts';
import { freePort } from '../support/sshd.ts';
import { suite } from '../support/suite.ts';

const version = 'v0.105.0';
/** A server that was killed takes up a minute until its successor hands out jobs. */
const comesUpMs = 100_000;

suite('Hatchet that comes and goes', whyNoExecutable ?? whyNoLab ?? whyNoHatchet(version), () => {
  let server: HatchetServer;
  before(async () => {
    server = await HatchetServer.start(version);
  });
  after(async () => {
    await server.close();
  });
  let count = 0;
  const h = new JobsHarness(() => {
    count += 1;
    return { ...server.env(), WIN_AUTOMATION_HATCHET_NAMESPACE: `o${count}`, WIN_AUTOMATION_TIMEOUT: '5s' };
  });

  /** How often a job was run: each run starts one cmd.exe. */
  const timesRun = (text: string) => h.lab.started.filter((line) => /^cmd/.test(line) && line.includes(text)).length;
  const isReady = (at: number) =>
    fetch(`http://127.0.0.1:${at}/ready`).then(
      ({ status }) => status === 200,
      () => false,
    );
  const exitOf = (child: ChildProcess) => new Promise<number | null>((done) => child.once('exit', done));

  it('that is killed while a job runs gets its result when it is back, and the job runs once', {
    timeout: 240_000,
  }, async () => {
    const at = await freePort();
    const worker = h.startWorker(['--listen', `127.0.0.1:${at}`]);
    await eventually('the worker is ready', () => isReady(at), 60_000);
    const during = await h.enqueue('--', 'ping -n 4 10.6.6.6');
    const across = await h.enqueue('--', 'ping -n 40 10.6.6.7');
    await eventually('both run', () => h.runs('10.6.6.6') && h.runs('10.6.6.7'), 15_000);
    await server.stopEngine();
    await eventually('the worker knows', async () => !(await isReady(at)), 30_000);
    await eventually('one ends meanwhile', () => !h.runs('10.6.6.6'), 15_000);
    // Longer than Hatchet waits for a silent worker.
    await new Promise((done) => setTimeout(done, 33_000 - 5_000));
    await server.startEngine();
    for (const id of [during, across]) {
      const { exitCode, stdout, stderr } = await h.watch(id);
      assert.equal(exitCode, 0, `${stdout}${stderr}${worker.log}`);
    }
    await eventually('the worker is ready again', () => isReady(at), 60_000);
    assert.deepEqual([timesRun('10.6.6.6'), timesRun('10.6.6.7')], [1, 1]);
    assert.equal((await h.watch(await h.enqueue('--', 'hostname'))).exitCode, 0);
  });

  for (const [what, awayMs, command, state] of [
    ['is back at once', 0, 'ping -n 4 10.6.7.7', 'completed'],
    ['is away for longer than it waits for a silent worker', 33_000, 'ping -n 4 10.6.8.8 & exit 7', 'failed'],
  ] as const) {
    it(`that was killed over a job's report, and ${what}, gets it once more: ${state}`, {
      timeout: 240_000,
    }, async () => {
      const at = await freePort();
      h.startWorker(['--listen', `127.0.0.1:${at}`]);
      await eventually('the worker is ready', () => isReady(at), 60_000);
      const id = await h.enqueue('--', command);
      await eventually('it runs', () => h.runs(command), comesUpMs);
      server.ignoreEnds();
      await eventually('it is done', () => h.manifestOf(id).state === state, 15_000);
      // The report is on its way.
      await new Promise((done) => setTimeout(done, 1_000));
      await server.stopEngine();
      server.heed();
      await new Promise((done) => setTimeout(done, awayMs));
      await server.startEngine();
      assert.equal((await h.watch(id)).exitCode, state === 'completed' ? 0 : 1);
      await eventually('the engine knows as well', () => server.runningTasks() === 0, 60_000);
      assert.equal((await h.statusOf(id)).state, state);
      assert.equal(timesRun(command), 1);
    });
  }

  it('gives a job whose worker was killed to another one', { timeout: 240_000 }, async () => {
    const first = h.startWorker();
    const id = await h.enqueue('--', 'ping -n 5 10.7.7.7');
    await eventually('it runs', () => h.runs('10.7.7.7'), comesUpMs);
    first.kill('SIGKILL');
    h.startWorker();
    assert.equal((await h.watch(id)).exitCode, 0);
    const { attempt } = await h.statusOf(id);
    assert.ok(attempt >= 2 && timesRun('10.7.7.7') <= attempt, `${timesRun('10.7.7.7')} runs in ${attempt} tries`);
  });

  it('gives what a worker hands back to another one', { timeout: 240_000 }, async () => {
    const first = h.startWorker(['--grace', '200ms']);
    const id = await h.enqueue('--', 'ping -n 8 10.7.8.8');
    await eventually('it runs', () => h.runs('10.7.8.8'), comesUpMs);
    const ended = exitOf(first);
    first.kill('SIGTERM');
    assert.equal(await ended, 0);
    assert.equal(h.runs('10.7.8.8'), false, 'its process went with it');
    h.startWorker();
    assert.equal((await h.watch(id)).exitCode, 0);
  });

  it('can be out of reach for 30 s: no job is lost, and none runs twice', { timeout: 240_000 }, async () => {
    const at = await freePort();
    let proxy = await startProxy(server.grpcPort);
    const throughProxy = { WIN_AUTOMATION_HATCHET_GRPC_ADDRESS: `127.0.0.1:${proxy.port}` };
    h.startWorker(['--listen', `127.0.0.1:${at}`], throughProxy);
    await eventually('the worker is ready', () => isReady(at), 60_000);
    const id = await h.enqueue('--', 'ping -n 6 10.8.8.8');
    await eventually('it runs', () => h.runs('10.8.8.8'), comesUpMs);
    const proxyPort = proxy.port;
    await proxy.close();
    await new Promise((done) => setTimeout(done, 30_000));
    proxy = await startProxy(server.grpcPort, 0, proxyPort);
    assert.equal((await h.watch(id)).exitCode, 0);
    assert.equal(timesRun('10.8.8.8'), 1);
    assert.equal((await h.watch(await h.enqueue('--', 'hostname'))).exitCode, 0);
    await proxy.close();
  });

  it('that has given a worker up is registered with again', { timeout: 240_000 }, async () => {
    const at = await freePort();
    const worker = h.startWorker(['--listen', `127.0.0.1:${at}`]);
    await eventually('the worker is ready', () => isReady(at), 60_000);
    // The zombie: its thread of heartbeats is stuck, its stream looks well.
    worker.kill('SIGSTOP');
    await new Promise((done) => setTimeout(done, 45_000));
    worker.kill('SIGCONT');
    await eventually('it is ready again', () => isReady(at), 60_000);
    assert.equal((await h.watch(await h.enqueue('--', 'hostname'))).exitCode, 0);
  });
});
