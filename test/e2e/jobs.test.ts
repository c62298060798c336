import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import * as v from 'valibot';
import { verifyArtifacts } from '../../src/artifacts/verify.ts';
import { jobPayloadSchema } from '../../src/cli/jobs/payload.ts';
import { LocalEngine } from '../../src/jobs/engines/local/engine.ts';
import { whyNoExecutable } from '../support/executable.ts';
import { jobContract } from '../support/job-contract.ts';
import { jobRequest } from '../support/job-request.ts';
import { JobsHarness } from '../support/jobs.ts';
import { whyNoLab } from '../support/lab.ts';
import { eventually } from '../support/processes.ts';
import { suite } from '../support/suite.ts';
import { parseWords } from '../support/words.ts';

suite('jobs', whyNoExecutable ?? whyNoLab, () => {
  const h = new JobsHarness(() => ({}), ['--lease', '1s']);
  jobContract(h, 'local', { idempotency: true });

  it('run by direct commands leave the same artifacts', async () => {
    const exec = await h.run(['windows', 'exec', '--artifacts', '--propagate-exit', '--', 'hostname& exit 5']);
    assert.deepEqual([exec.exitCode, exec.words['state'], exec.words['stdout']], [5, 'failed', 'LAB-WINDOWS\r\n']);
    assert.equal(readFileSync(join(h.folder(exec.words['job_id'] ?? ''), 'ssh/stdout.txt'), 'utf8'), 'LAB-WINDOWS\r\n');
    assert.equal(h.manifestOf(exec.words['job_id'] ?? '').state, 'failed');
    writeFileSync(join(h.program.home, 's.ps1'), "Write-Output 'hi'\n");
    const script = await h.run(['windows', 'script', 's.ps1', '--artifacts']);
    assert.deepEqual([script.exitCode, script.words['stdout']], [0, 'hi\r\n']);
    assert.equal((await h.run(['artifacts', 'verify', '--job', script.words['job_id'] ?? ''])).exitCode, 0);
    assert.equal((await h.run(['windows', 'exec', '--artifacts', '--raw', '--', 'x'])).exitCode, 2);
  });

  it('go by priority, and not before their delay', async () => {
    const low = await h.enqueue('--', 'hostname');
    const high = await h.enqueue('--priority', '10', '--', 'hostname');
    const late = await h.enqueue('--priority', '99', '--delay', '2s', '--', 'hostname');
    h.startWorker(['--concurrency', '1']);
    for (const id of [low, high, late]) await h.watch(id);
    const [a, b, c] = await Promise.all(
      [high, low, late].map(async (id) => Date.parse((await h.statusOf(id)).started_at)),
    );
    assert.ok(a !== undefined && b !== undefined && c !== undefined && a <= b && b < c);
    const { run_at, started_at } = await h.statusOf(late);
    assert.ok(Date.parse(started_at) >= Date.parse(run_at));
  });

  it('of a worker that is told to end are finished, or handed back for another', async () => {
    const worker = h.startWorker(['--grace', '500ms']);
    const id = await h.enqueue('--', 'ping -n 60 10.3.3.3');
    await eventually('it runs', async () => (await h.statusOf(id)).state === 'running');
    const ended = new Promise((done) => worker.once('exit', done));
    worker.kill('SIGTERM');
    assert.equal(await ended, 0);
    const { state, attempt } = await h.statusOf(id);
    assert.deepEqual([state, attempt], ['queued', 0]);
    assert.ok(!h.runs('10.3.3.3'));
  });

  it('each end exactly once, whatever happens to workers: 200 jobs, 100 kills', { timeout: 180_000 }, async () => {
    h.env['WIN_AUTOMATION_HATCHET_RETRY_MAX'] = '10';
    const [count, rounds] = [200, 50];
    {
      await using engine = new LocalEngine(join(h.program.home, 'state/jobs.sqlite'));
      for (let i = 0; i < count; i += 1) await engine.enqueue(jobRequest(`kill-${String(i).padStart(3, '0')}`));
    }
    // Half a second a job, so that kills find jobs in the middle.
    await h.lab.setFault('slow', true);
    for (let round = 0; round < rounds; round += 1) {
      const pair = [h.startWorker(['--lease', '500ms']), h.startWorker(['--lease', '500ms'])];
      await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 600));
      for (const worker of pair) worker.kill('SIGKILL');
    }
    await h.lab.setFault('slow', false);
    h.startWorker();
    h.startWorker();
    const list = async () => {
      const { stdout } = await h.run(['jobs', 'list', '--limit', '500', '--json']);
      return stdout
        .toString()
        .trim()
        .split('\n')
        .map((line) => v.parse(jobPayloadSchema, JSON.parse(line)));
    };
    const isOver = ({ state }: { state: string }) => state === 'completed' || state === 'failed';
    await eventually('all are over', async () => (await list()).every(isOver), 60_000);
    const jobs = await list();
    assert.equal(jobs.length, count);
    assert.ok(
      jobs.some(({ attempt = 0 }) => attempt > 1),
      'no kill hit a job',
    );
    for (const { job_id, state, attempt = 0, error } of jobs) {
      if (state === 'failed') assert.equal(error?.code, 'job_lost');
      else assert.equal(h.manifestOf(job_id).state, 'completed');
      const ran = h.lab.started.filter((line) => line.includes(`echo ${job_id}.`)).length;
      assert.ok(ran <= attempt, `${job_id} ran ${ran} times in ${attempt} tries`);
      if (state === 'completed') assert.ok(ran >= 1);
    }
    for (const { job_id, state } of jobs.slice(0, 40)) {
      if (state !== 'completed') continue;
      const verified = await verifyArtifacts(h.folder(job_id), h.manifestOf(job_id), AbortSignal.timeout(10_000));
      assert.deepEqual(
        verified.filter(({ fault }) => fault !== undefined),
        [],
      );
    }
  });

  it('are passes of the supervisor too, which repair what they can', async () => {
    h.startWorker();
    await h.lab.setFault('firewall', true);
    const pass = async () => {
      const { words } = await h.run(['jobs', 'enqueue', '--type', 'supervisor.pass']);
      assert.equal((await h.watch(words['job_id'] ?? '')).exitCode, 0);
      return (await h.statusOf(words['job_id'] ?? '')).result;
    };
    const first = await pass();
    assert.ok(first.repaired >= 1, JSON.stringify(first));
    assert.deepEqual([first.state, (await pass()).repaired], ['healthy', 0]);
    const status = await h.json('supervisor', 'status');
    assert.equal(status.exitCode, 0, 'the memory is the same');
    await h.lab.setFault('firewall', false);
  });

  it('are counted exactly, once a terminal state', async () => {
    const path = join(h.program.home, 'metrics.log');
    h.env['WIN_AUTOMATION_RETRY_ATTEMPTS'] = '1';
    h.env['WIN_AUTOMATION_HATCHET_RETRY_MAX'] = '1';
    const config = join(h.program.home, 'c.json');
    writeFileSync(config, JSON.stringify({ hosts: { gone: { windows: { ssh_port: 1 } } } }));
    // The environment wins over the file, for named hosts as well where they do not say otherwise.
    h.env['WIN_AUTOMATION_CONFIG'] = config;
    const worker = h.startWorker(['--metrics', '--metrics-interval', '100ms'], { WIN_AUTOMATION_METRICS_PATH: path });
    await eventually('it is there', () => existsSync(path));
    const ids = [await h.enqueue('--', 'hostname'), await h.enqueue('--', 'ver'), await h.enqueue('--', 'whoami')];
    ids.push(await h.enqueue('--host', 'gone', '--', 'hostname'));
    await h.enqueue('--delay', '1h', '--', 'hostname');
    const running = await h.enqueue('--', 'ping -n 60 10.4.4.4');
    await eventually('it runs', async () => (await h.statusOf(running)).state === 'running');
    await h.run(['jobs', 'cancel', '--id', running]);
    for (const id of [...ids, running]) await h.watch(id);
    const ended = new Promise((done) => worker.once('exit', done));
    worker.kill('SIGTERM');
    await ended;
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    for (const line of lines) assert.match(line, /^metric=[a-z_]+ value=\d+ ts=\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const last = Object.fromEntries(
      lines
        .slice(-6)
        .map(parseWords)
        .map(({ metric = '', value }) => [metric, value]),
    );
    assert.deepEqual(last, {
      jobs_enqueued_total: '6',
      jobs_completed_total: '3',
      jobs_failed_total: '1',
      jobs_cancelled_total: '1',
      playwright_sessions_total: '0',
      aloha_runs_total: '0',
    });
  });

  it('are told by /live, /ready and /metrics', async () => {
    const port = 40_000 + Math.floor(Math.random() * 10_000);
    h.startWorker(['--listen', `127.0.0.1:${port}`]);
    const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
    await eventually('it is ready', async () => (await ask('/ready'))?.status === 200);
    assert.equal((await ask('/live'))?.status, 200);
    assert.match((await (await ask('/metrics'))?.text()) ?? '', /win_automation_jobs_completed_total 0/);
    assert.equal((await ask('/other'))?.status, 404);
  });

  const whyNoNotify =
    existsSync('/usr/bin/systemd-notify') && existsSync('/usr/bin/python3') ? false : 'no systemd-notify or no python3';
  it('tell systemd READY=1, WATCHDOG=1 and STOPPING=1', { skip: whyNoNotify }, async () => {
    const socket = join(h.program.home, 'notify');
    // Node has no datagram sockets of this kind.
    const listen =
      'import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.bind(sys.argv[1])\nwhile True: print(s.recv(4096).decode(),flush=True)';
    const listener = spawn('/usr/bin/python3', ['-c', listen, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    let told = '';
    listener.stdout.on('data', (chunk) => {
      told += chunk;
    });
    await eventually('somebody listens', () => existsSync(socket));
    const worker = h.startWorker([], { NOTIFY_SOCKET: socket });
    await eventually('READY and WATCHDOG', () => told.includes('READY=1') && told.includes('WATCHDOG=1'));
    worker.kill('SIGTERM');
    await eventually('STOPPING', () => told.includes('STOPPING=1'));
    listener.kill();
  });

  it('are mirrored to Windows on demand, and fetched from there', async () => {
    h.env['WIN_AUTOMATION_ARTIFACT_MIRROR_TO_WINDOWS'] = 'true';
    h.startWorker();
    const id = await h.enqueue('--', 'hostname');
    await h.watch(id);
    const there = join(h.lab.state.root, 'ProgramData/win-automation/artifacts', id);
    await eventually('the copy is there', () => existsSync(join(there, 'manifest.json')));
    rmSync(h.folder(id), { recursive: true });
    const { exitCode, words } = await h.run(['artifacts', 'fetch', '--job', id, '--out', join(h.program.home, 'out')]);
    assert.deepEqual([exitCode, words['from']], [0, 'windows']);
  });

  it('are refused with every problem of their input, and nothing is enqueued', async () => {
    const input = JSON.stringify({ command: '', shell: 'zsh', extra: 1 });
    const { exitCode, logs } = await h.run(['jobs', 'enqueue', '--type', 'windows.exec', '--input', input]);
    assert.equal(exitCode, 2);
    assert.deepEqual(logs.map(({ msg }) => /input (\w+)/.exec(msg ?? '')?.[1]).sort(), ['command', 'extra', 'shell']);
    assert.equal(existsSync(join(h.program.home, 'state/jobs.sqlite')), false);
  });

  for (const id of ['../x', 'a/b', '.hidden', 'x'.repeat(200), 'a b', '']) {
    it(`refuse the id ${JSON.stringify(id.slice(0, 20))} before any path is made of it`, async () => {
      assert.equal((await h.run(['jobs', 'status', `--id=${id}`])).exitCode, 2);
      assert.equal((await h.run(['artifacts', 'list', `--job=${id}`])).exitCode, 2);
    });
  }

  it('leave a store of a newer schema alone', async () => {
    const path = join(h.program.home, 'newer.sqlite');
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 99');
    db.close();
    const { exitCode, logs } = await h.run(['jobs', 'list'], { env: { WIN_AUTOMATION_JOBS_STORE: path } });
    assert.deepEqual([exitCode, logs.at(-1)?.['code']], [2, 'store_newer']);
    const db2 = new DatabaseSync(path);
    assert.equal((db2.prepare('PRAGMA user_version').get() as { user_version: number }).user_version, 99);
    db2.close();
  });

  it('fail with the path where the artifacts can not be written', async () => {
    writeFileSync(join(h.program.home, 'file'), '');
    const out = join(h.program.home, 'file/artifacts');
    const { exitCode, logs } = await h.run(['aloha', 'run', '--task', 'x'], {
      env: { WIN_AUTOMATION_ARTIFACT_OUT: out },
    });
    assert.equal(exitCode, 1);
    assert.ok(logs.at(-1)?.['msg']?.includes(out));
  });

  describe('with artifacts that are not what they should be', () => {
    const finished = async () => {
      h.startWorker();
      const id = await h.enqueue('--', 'hostname');
      await h.watch(id);
      return id;
    };
    const edit = (id: string, change: (manifest: Record<string, unknown>) => void) => {
      const path = join(h.folder(id), 'manifest.json');
      const manifest = JSON.parse(readFileSync(path, 'utf8'));
      change(manifest);
      writeFileSync(path, JSON.stringify(manifest));
    };

    it('name a file that was changed, and fetch nothing', async () => {
      const id = await finished();
      writeFileSync(join(h.folder(id), 'ssh/stdout.txt'), 'LAB-WINDOWX\r\n');
      const { exitCode, stdout } = await h.run(['artifacts', 'verify', '--job', id]);
      assert.equal(exitCode, 1);
      assert.match(stdout.toString(), /path=ssh\/stdout.txt state=wrong_hash/);
      const out = join(h.program.home, 'out');
      assert.equal((await h.run(['artifacts', 'fetch', '--job', id, '--out', out])).exitCode, 1);
      assert.equal(existsSync(out), false);
    });

    it('refuse a link that leaves the folder', async () => {
      const id = await finished();
      const path = join(h.folder(id), 'ssh/stdout.txt');
      copyFileSync(path, join(h.program.home, 'same'));
      rmSync(path);
      symlinkSync(join(h.program.home, 'same'), path);
      const { exitCode, stdout } = await h.run(['artifacts', 'verify', '--job', id]);
      assert.equal(exitCode, 1);
      assert.match(stdout.toString(), /leaves_folder/);
    });

    for (const path of ['/etc/passwd', '../x', 'a/../../x', 'a\\b', 'a//b', '']) {
      it(`refuse the path ${JSON.stringify(path)} in a manifest`, async () => {
        const id = await finished();
        edit(id, (manifest) => {
          manifest['artifacts'] = [{ type: 'ssh', path, size_bytes: 0, sha256: '0'.repeat(64) }];
        });
        const { exitCode, logs } = await h.run(['artifacts', 'verify', '--job', id]);
        assert.deepEqual([exitCode, logs.at(-1)?.['code']], [1, 'artifact_refused']);
      });
    }

    it('refuse a manifest of 100 MB without reading it', async () => {
      const id = await finished();
      writeFileSync(join(h.folder(id), 'manifest.json'), Buffer.alloc(100_000_000, ' '));
      const { exitCode, peakRssBytes, logs } = await h.run(['artifacts', 'list', '--job', id]);
      assert.deepEqual([exitCode, logs.at(-1)?.['code']], [1, 'artifact_refused']);
      assert.ok(peakRssBytes < 150e6);
    });
  });

  it('are cleaned up by age, but not what is no job', async () => {
    h.startWorker();
    const [old, young] = [await h.enqueue('--', 'hostname'), await h.enqueue('--', 'ver')];
    for (const id of [old, young]) await h.watch(id);
    const path = join(h.folder(old), 'manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...manifest, created_at: '2020-01-01T00:00:00.000Z' }));
    mkdirSync(join(h.program.home, 'artifacts/notes'));
    const dry = await h.run(['artifacts', 'gc', '--dry-run']);
    assert.deepEqual([dry.exitCode, dry.words['jobs'], existsSync(h.folder(old))], [0, old, true]);
    const { exitCode, words } = await h.run(['artifacts', 'gc']);
    assert.deepEqual([exitCode, words['removed']], [0, '1']);
    assert.ok(!existsSync(h.folder(old)) && existsSync(h.folder(young)));
    assert.ok(readdirSync(join(h.program.home, 'artifacts')).includes('notes'));
  });

  it('are told by one page that real Chromium shows, whatever they wrote', {
    skip: existsSync('/usr/bin/chromium') ? false : 'no chromium',
  }, async () => {
    h.startWorker();
    const id = await h.enqueue('--', 'echo "<script>document.title=1</script>" & hostname');
    await h.watch(id);
    const page = join(h.program.home, 'report.html');
    assert.equal((await h.run(['artifacts', 'report', '--job', id, '--out', page])).exitCode, 0);
    const { chromium } = await import('playwright-core');
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
    const tab = await browser.newPage();
    const problems: string[] = [];
    tab.on('console', (message) => problems.push(message.text()));
    tab.on('request', (request) => request.url().startsWith('file:') || problems.push(request.url()));
    await tab.goto(`file://${page}`);
    assert.match(await tab.title(), /^windows\.exec completed: /);
    assert.match((await tab.textContent('body')) ?? '', /<script>document\.title=1<\/script>[\s\S]*LAB-WINDOWS/);
    assert.deepEqual(problems, []);
    await browser.close();
  });
});
