import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import * as v from 'valibot';
import { hatchetStatusSchema } from '../../src/cli/hatchet/status.ts';
import { schedulePayloadSchema } from '../../src/cli/jobs/schedule-payload.ts';
import { judgeServer } from '../../src/hatchet/compatibility.ts';
import { whyNoExecutable } from '../support/executable.ts';
import { HatchetServer, hatchetVersions, whyNoHatchet } from '../support/hatchet-server.ts';
import { jobContract } from '../support/job-contract.ts';
import { JobsHarness } from '../support/jobs.ts';
import { whyNoLab } from '../support/lab.ts';
import { eventually } from '../support/processes.ts';
import { suite } from '../support/suite.ts';

for (const version of hatchetVersions) {
  const isNew = version === 'v0.105.0';
  suite(`jobs on Hatchet ${version}`, whyNoExecutable ?? whyNoLab ?? whyNoHatchet(version), () => {
    let server: HatchetServer;
    before(async () => {
      server = await HatchetServer.start(version);
    });
    after(() => server.close());
    // A namespace a test: no worker of another test is there.
    const h = new JobsHarness(() => ({
      ...server.env(),
      WIN_AUTOMATION_HATCHET_NAMESPACE: `t${randomBytes(4).toString('hex')}`,
    }));
    jobContract(h, 'hatchet', { idempotency: isNew });

    it('are judged by the version of the server', async () => {
      const { exitCode, payload } = await h.json('hatchet', 'status');
      v.parse(hatchetStatusSchema, payload);
      assert.equal(payload.server_version, version);
      assert.equal(payload.compatibility, judgeServer(version).compatibility);
      assert.equal(exitCode, isNew ? 0 : 1);
      const doctor = await h.json('doctor');
      const check = doctor.payload.checks.find((one: { check: string }) => one.check === 'hatchet');
      assert.equal(check.state, isNew ? 'ok' : 'degraded');
      assert.ok(check.detail.includes(version), check.detail);
      const { hatchet_sdk_version, hatchet_server_version, openssh_version } = doctor.payload;
      assert.deepEqual([hatchet_sdk_version, hatchet_server_version], [payload.hatchet_sdk_version, version]);
      assert.match(openssh_version, /^\d/);
    });

    it('with a key that the server can not keep are refused, not enqueued twice', {
      skip: isNew ? 'this one can' : false,
    }, async () => {
      const { exitCode, logs } = await h.run([
        'jobs',
        'enqueue',
        '--type',
        'windows.exec',
        '--idempotency-key',
        'k',
        '--',
        'ver',
      ]);
      assert.deepEqual([exitCode, logs.at(-1)?.['code']], [3, 'version_mismatch']);
    });

    it('go to a worker that reaches their host', {
      skip: isNew ? false : 'this server has no labels of runs',
    }, async () => {
      const config = join(h.program.home, 'fleet.json');
      writeFileSync(config, JSON.stringify({ hosts: { far: {} } }));
      h.startWorker();
      const id = await h.enqueue('--config', config, '--host', 'far', '--', 'hostname');
      await new Promise((done) => setTimeout(done, 2_000));
      assert.equal((await h.statusOf(id)).state, 'queued');
      h.startWorker(['--config', config]);
      const { exitCode } = await h.watch(id);
      assert.equal(exitCode, 0);
      assert.equal((await h.statusOf(id)).host, 'far');
    });

    it('are enqueued by schedules, once and again and again', { timeout: 120_000 }, async () => {
      h.startWorker();
      const at = new Date(Date.now() + 4_000).toISOString();
      const once = await h.json('jobs', 'schedule', '--name', 'soon', '--at', at, '--type', 'artifacts.gc');
      const cron = await h.json('jobs', 'schedule', '--name', 'often', '--cron', '* * * * *', '--type', 'artifacts.gc');
      for (const { payload } of [once, cron]) v.parse(schedulePayloadSchema, payload);
      const list = async (verb: string) =>
        (await h.run(['jobs', verb, '--json'])).stdout
          .toString()
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line));
      const names = async () => (await list('schedules')).map(({ name }) => name);
      assert.deepEqual((await names()).sort(), ['often', 'soon']);
      const completed = async () => (await list('list')).filter(({ state }) => state === 'completed');
      await eventually('both have run', async () => (await completed()).length >= 2, 100_000);
      const traces = new Set((await completed()).map(({ trace_id }) => trace_id));
      assert.equal(traces.size, (await completed()).length, 'runs of a schedule have traces of their own');
      const removed = await h.run(['jobs', 'unschedule', '--id', cron.payload.schedule_id]);
      assert.deepEqual([removed.exitCode, removed.words['state']], [0, 'removed']);
      assert.deepEqual(await names(), []);
      assert.equal((await h.run(['jobs', 'unschedule', '--id', cron.payload.schedule_id])).exitCode, 1);
    });

    it('can not wait for a time: --delay says what can', async () => {
      const { exitCode, logs } = await h.run(['jobs', 'enqueue', '--type', 'artifacts.gc', '--delay', '1h']);
      assert.equal(exitCode, 2);
      assert.match(logs.at(-1)?.['hint'] ?? '', /jobs schedule --at/);
    });

    it('of a worker that is told to end are finished first', async () => {
      const worker = h.startWorker();
      const id = await h.enqueue('--', 'ping -n 4 10.5.5.5');
      await eventually('it runs', () => h.runs('10.5.5.5'), 15_000);
      const ended = new Promise((done) => worker.once('exit', done));
      worker.kill('SIGTERM');
      assert.equal(await ended, 0);
      await eventually('it is told', async () => (await h.statusOf(id)).state === 'completed');
    });
  });
}
