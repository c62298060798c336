import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import * as v from 'valibot';
import { manifestSchema } from '../../src/artifacts/manifest.ts';
import { verifyArtifacts } from '../../src/artifacts/verify.ts';
import { jobPayloadSchema } from '../../src/cli/jobs/payload.ts';
import { LocalEngine } from '../../src/jobs/engines/local/engine.ts';
import { type Executable, installExecutable, type RunOptions, whyNoExecutable } from '../support/executable.ts';
import { jobRequest } from '../support/job-request.ts';
import { startTestLab, type TestLab, whyNoLab } from '../support/lab.ts';
import { eventually } from '../support/processes.ts';
import { suite } from '../support/suite.ts';
import { parseWords } from '../support/words.ts';

const skip = whyNoExecutable ?? whyNoLab ?? false;

suite('jobs', skip, () => {
  let lab: TestLab;
  let program: Executable;
  const workers: ChildProcess[] = [];
  let env: Record<string, string>;
  before(async () => {
    lab = await startTestLab();
  });
  after(() => lab.close());
  beforeEach(() => {
    program = installExecutable();
    env = {
      ...lab.env,
      HOME: program.home,
      PATH: process.env['PATH'] ?? '',
      WIN_AUTOMATION_STATE_DIR: join(program.home, 'state'),
      WIN_AUTOMATION_ARTIFACT_OUT: join(program.home, 'artifacts'),
      WIN_AUTOMATION_HATCHET_RETRY_BACKOFF: '1s',
    };
  });
  afterEach(() => {
    for (const worker of workers.splice(0)) worker.kill('SIGKILL');
    program.remove();
  });

  const run = (args: readonly string[], options: RunOptions = {}) =>
    program.run(args, { ...options, env: { ...env, ...options.env } });
  const json = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await run([...args, '--json']);
    assert.notEqual(stdout.length, 0, stderr);
    return { exitCode, payload: JSON.parse(stdout.toString()) };
  };
  const enqueue = async (...args: string[]): Promise<string> => {
    const { exitCode, words, stderr } = await run(['jobs', 'enqueue', '--type', 'windows.exec', ...args]);
    assert.equal(exitCode, 0, stderr);
    return words['job_id'] ?? '';
  };
  const startWorker = (args: readonly string[] = [], more: Record<string, string> = {}): ChildProcess => {
    const child = spawn(program.path, ['worker', '--lease', '1s', ...args], {
      env: { ...env, ...more },
      cwd: program.home,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout?.resume();
    child.stderr?.resume();
    workers.push(child);
    return child;
  };
  const statusOf = async (id: string) => (await json('jobs', 'status', '--id', id)).payload;
  const watch = (id: string) => run(['jobs', 'watch', '--id', id]);
  const folder = (id: string) => join(program.home, 'artifacts', id);
  const manifestOf = (id: string) =>
    v.parse(manifestSchema, JSON.parse(readFileSync(join(folder(id), 'manifest.json'), 'utf8')));

  it('run on a worker, and leave artifacts that verify', async () => {
    startWorker();
    const { exitCode, stdout } = await run(['jobs', 'enqueue', '--type', 'windows.exec', '--watch', '--', 'hostname']);
    const last = parseWords(stdout.toString().trimEnd().split('\n').at(-1) ?? '');
    assert.deepEqual([exitCode, last['state'], last['engine']], [0, 'completed', 'local']);
    const id = last['job_id'] ?? '';
    const { payload } = await json('jobs', 'status', '--id', id);
    v.parse(jobPayloadSchema, payload);
    assert.equal(payload.result.stdout.text, 'LAB-WINDOWS\r\n');
    assert.equal(readFileSync(join(folder(id), 'ssh/stdout.txt'), 'utf8'), 'LAB-WINDOWS\r\n');
    assert.equal(readFileSync(join(folder(id), 'ssh/exit_code.txt'), 'utf8'), '0\n');
    const manifest = manifestOf(id);
    assert.deepEqual([manifest.job_id, manifest.trace_id, manifest.state], [id, payload.trace_id, 'completed']);
    assert.equal(statSync(folder(id)).mode & 0o777, 0o700);
    assert.equal(statSync(join(folder(id), 'ssh/stdout.txt')).mode & 0o777, 0o600);
    assert.equal((await run(['artifacts', 'verify', '--job', id])).exitCode, 0);
    const out = join(program.home, 'copy');
    assert.equal((await run(['artifacts', 'fetch', '--job', id, '--out', out])).exitCode, 0);
    assert.equal(readFileSync(join(out, 'ssh/stdout.txt'), 'utf8'), 'LAB-WINDOWS\r\n');
  });

  it('run by direct commands leave the same artifacts', async () => {
    const exec = await run(['windows', 'exec', '--artifacts', '--propagate-exit', '--', 'hostname& exit 5']);
    assert.deepEqual([exec.exitCode, exec.words['state'], exec.words['stdout']], [5, 'failed', 'LAB-WINDOWS\r\n']);
    assert.equal(readFileSync(join(folder(exec.words['job_id'] ?? ''), 'ssh/stdout.txt'), 'utf8'), 'LAB-WINDOWS\r\n');
    assert.equal(manifestOf(exec.words['job_id'] ?? '').state, 'failed');
    writeFileSync(join(program.home, 's.ps1'), "Write-Output 'hi'\n");
    const script = await run(['windows', 'script', 's.ps1', '--artifacts']);
    assert.deepEqual([script.exitCode, script.words['stdout']], [0, 'hi\r\n']);
    assert.equal((await run(['artifacts', 'verify', '--job', script.words['job_id'] ?? ''])).exitCode, 0);
    assert.equal((await run(['windows', 'exec', '--artifacts', '--raw', '--', 'x'])).exitCode, 2);
  });

  it('fail where the command does, without another try: it may have done half its work', async () => {
    startWorker();
    const { exitCode } = await watch(await enqueue('--', 'exit 7'));
    assert.equal(exitCode, 1);
    const [job] = (await run(['jobs', 'list', '--json'])).stdout
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual([job.state, job.attempt, job.error.code, job.result.exit_code], ['failed', 1, 'remote_failed', 7]);
  });

  it('are tried again where the host can not be reached', async () => {
    env['WIN_AUTOMATION_WINDOWS_SSH_PORT'] = '1';
    env['WIN_AUTOMATION_RETRY_ATTEMPTS'] = '1';
    env['WIN_AUTOMATION_HATCHET_RETRY_MAX'] = '1';
    startWorker();
    const id = await enqueue('--', 'hostname');
    assert.equal((await watch(id)).exitCode, 1);
    const { attempt, error } = await statusOf(id);
    assert.deepEqual([attempt, error.code], [2, 'ssh_unreachable']);
    assert.equal(manifestOf(id).attempt, 2);
  });

  it('end with exit 4 at their timeout, and the remote process with them', async () => {
    startWorker();
    const id = await enqueue('--timeout', '1s', '--', 'ping -n 60 10.1.1.1');
    assert.equal((await watch(id)).exitCode, 4);
    assert.ok(![...lab.state.processes.values()].some(({ commandLine }) => commandLine.includes('10.1.1.1')));
  });

  it('are cancelled while they wait, and while they run with the remote process', async () => {
    const waiting = await enqueue('--', 'hostname');
    assert.equal((await run(['jobs', 'cancel', '--id', waiting])).exitCode, 0);
    assert.equal((await statusOf(waiting)).state, 'cancelled');
    startWorker();
    const running = await enqueue('--', 'ping -n 60 10.2.2.2');
    const isThere = () => [...lab.state.processes.values()].some(({ commandLine }) => commandLine.includes('10.2.2.2'));
    await eventually('it runs', isThere);
    assert.equal((await run(['jobs', 'cancel', '--id', running])).exitCode, 0);
    assert.equal((await watch(running)).exitCode, 1);
    assert.equal((await statusOf(running)).state, 'cancelled');
    assert.equal(isThere(), false);
    assert.equal(manifestOf(running).state, 'cancelled');
  });

  it('that are over can not be cancelled: exit 1 and their state', async () => {
    startWorker();
    const id = await enqueue('--', 'hostname');
    await watch(id);
    const { exitCode, words } = await run(['jobs', 'cancel', '--id', id]);
    assert.deepEqual([exitCode, words['state']], [1, 'completed']);
  });

  it('that nobody knows are not_found, with exit 1', async () => {
    for (const verb of ['status', 'cancel', 'replay', 'logs', 'watch']) {
      const { exitCode, words } = await run(['jobs', verb, '--id', 'no-such-job']);
      assert.deepEqual([verb, exitCode, words['state']], [verb, 1, 'not_found']);
    }
  });

  it('with the same idempotency key are one job', async () => {
    const [first, second] = [
      await enqueue('--idempotency-key', 'k', '--', 'hostname'),
      await enqueue('--idempotency-key', 'k', '--', 'ver'),
    ];
    assert.equal(first, second);
    const together = await Promise.all(
      Array.from({ length: 6 }, () => enqueue('--idempotency-key', 'many', '--', 'ver')),
    );
    assert.equal(new Set(together).size, 1);
  });

  it('are replayed under a new id', async () => {
    startWorker();
    const id = await enqueue('--', 'hostname');
    await watch(id);
    const { words } = await run(['jobs', 'replay', '--id', id]);
    assert.equal(words['replay_of'], id);
    assert.notEqual(words['job_id'], id);
    assert.equal((await watch(words['job_id'] ?? '')).exitCode, 0);
  });

  it('go by priority, and not before their delay', async () => {
    const low = await enqueue('--', 'hostname');
    const high = await enqueue('--priority', '10', '--', 'hostname');
    const late = await enqueue('--priority', '99', '--delay', '2s', '--', 'hostname');
    startWorker(['--concurrency', '1']);
    for (const id of [low, high, late]) await watch(id);
    const [a, b, c] = await Promise.all(
      [high, low, late].map(async (id) => Date.parse((await statusOf(id)).started_at)),
    );
    assert.ok(a !== undefined && b !== undefined && c !== undefined && a <= b && b < c);
    const { run_at, started_at } = await statusOf(late);
    assert.ok(Date.parse(started_at) >= Date.parse(run_at));
  });

  it('say that no worker would take them', async () => {
    const { words, logs } = await run(['jobs', 'enqueue', '--type', 'windows.exec', '--', 'hostname']);
    assert.equal(words['worker'], 'false');
    assert.match(logs.at(-1)?.['msg'] ?? '', /no live worker/);
  });

  it('keep their log', async () => {
    startWorker();
    const id = await enqueue('--', 'hostname');
    await watch(id);
    let lines: Record<string, string>[] = [];
    await eventually('the log is there', async () => {
      lines = (await run(['jobs', 'logs', '--id', id])).stdout
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
    startWorker(['--concurrency', '4']);
    const ids = await Promise.all(
      [1, 2, 3].map(async (n) => {
        const { words } = await run(['jobs', 'enqueue', '--type', 'aloha.run', '--task', `task ${n}`]);
        return words['job_id'] ?? '';
      }),
    );
    for (const id of ids) assert.equal((await watch(id)).exitCode, 0);
    const spans = await Promise.all(ids.map(statusOf));
    spans.sort((a, b) => Date.parse(a.started_at) - Date.parse(b.started_at));
    for (const [i, span] of spans.slice(1).entries()) {
      assert.ok(Date.parse(span.started_at) >= Date.parse(spans[i].ended_at), 'two at once');
    }
  });

  it('of a worker that is told to end are finished, or handed back for another', async () => {
    const worker = startWorker(['--grace', '500ms']);
    const id = await enqueue('--', 'ping -n 60 10.3.3.3');
    await eventually('it runs', async () => (await statusOf(id)).state === 'running');
    const ended = new Promise((done) => worker.once('exit', done));
    worker.kill('SIGTERM');
    assert.equal(await ended, 0);
    const { state, attempt } = await statusOf(id);
    assert.deepEqual([state, attempt], ['queued', 0]);
    assert.ok(![...lab.state.processes.values()].some(({ commandLine }) => commandLine.includes('10.3.3.3')));
  });

  it('each end exactly once, whatever happens to workers: 200 jobs, 100 kills', { timeout: 180_000 }, async () => {
    env['WIN_AUTOMATION_HATCHET_RETRY_MAX'] = '10';
    const [count, rounds] = [200, 50];
    {
      await using engine = new LocalEngine(join(program.home, 'state/jobs.sqlite'));
      for (let i = 0; i < count; i += 1) await engine.enqueue(jobRequest(`kill-${String(i).padStart(3, '0')}`));
    }
    // Half a second a job, so that kills find jobs in the middle.
    await lab.setFault('slow', true);
    for (let round = 0; round < rounds; round += 1) {
      const pair = [startWorker(['--lease', '500ms']), startWorker(['--lease', '500ms'])];
      await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 600));
      for (const worker of pair) worker.kill('SIGKILL');
    }
    await lab.setFault('slow', false);
    startWorker();
    startWorker();
    const list = async () => {
      const { stdout } = await run(['jobs', 'list', '--limit', '500', '--json']);
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
      else assert.equal(manifestOf(job_id).state, 'completed');
      const ran = lab.started.filter((line) => line.includes(`echo ${job_id}.`)).length;
      assert.ok(ran <= attempt, `${job_id} ran ${ran} times in ${attempt} tries`);
      if (state === 'completed') assert.ok(ran >= 1);
    }
    for (const { job_id, state } of jobs.slice(0, 40)) {
      if (state !== 'completed') continue;
      const verified = await verifyArtifacts(folder(job_id), manifestOf(job_id), AbortSignal.timeout(10_000));
      assert.deepEqual(
        verified.filter(({ fault }) => fault !== undefined),
        [],
      );
    }
  });

  it('are counted exactly, once a terminal state', async () => {
    const path = join(program.home, 'metrics.log');
    env['WIN_AUTOMATION_RETRY_ATTEMPTS'] = '1';
    env['WIN_AUTOMATION_HATCHET_RETRY_MAX'] = '1';
    const config = join(program.home, 'c.json');
    writeFileSync(config, JSON.stringify({ hosts: { gone: { windows: { ssh_port: 1 } } } }));
    // The environment wins over the file, for named hosts as well where they do not say otherwise.
    env['WIN_AUTOMATION_CONFIG'] = config;
    const worker = startWorker(['--metrics', '--metrics-interval', '100ms'], { WIN_AUTOMATION_METRICS_PATH: path });
    await eventually('it is there', () => existsSync(path));
    const ids = [await enqueue('--', 'hostname'), await enqueue('--', 'ver'), await enqueue('--', 'whoami')];
    ids.push(await enqueue('--host', 'gone', '--', 'hostname'));
    await enqueue('--delay', '1h', '--', 'hostname');
    const running = await enqueue('--', 'ping -n 60 10.4.4.4');
    await eventually('it runs', async () => (await statusOf(running)).state === 'running');
    await run(['jobs', 'cancel', '--id', running]);
    for (const id of [...ids, running]) await watch(id);
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
    startWorker(['--listen', `127.0.0.1:${port}`]);
    const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
    await eventually('it is ready', async () => (await ask('/ready'))?.status === 200);
    assert.equal((await ask('/live'))?.status, 200);
    assert.match((await (await ask('/metrics'))?.text()) ?? '', /win_automation_jobs_completed_total 0/);
    assert.equal((await ask('/other'))?.status, 404);
  });

  const whyNoNotify =
    existsSync('/usr/bin/systemd-notify') && existsSync('/usr/bin/python3') ? false : 'no systemd-notify or no python3';
  it('tell systemd READY=1, WATCHDOG=1 and STOPPING=1', { skip: whyNoNotify }, async () => {
    const socket = join(program.home, 'notify');
    // Node has no datagram sockets of this kind.
    const listen =
      'import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.bind(sys.argv[1])\nwhile True: print(s.recv(4096).decode(),flush=True)';
    const listener = spawn('/usr/bin/python3', ['-c', listen, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    let told = '';
    listener.stdout.on('data', (chunk) => {
      told += chunk;
    });
    await eventually('somebody listens', () => existsSync(socket));
    const worker = startWorker([], { NOTIFY_SOCKET: socket });
    await eventually('READY and WATCHDOG', () => told.includes('READY=1') && told.includes('WATCHDOG=1'));
    worker.kill('SIGTERM');
    await eventually('STOPPING', () => told.includes('STOPPING=1'));
    listener.kill();
  });

  it('are mirrored to Windows on demand, and fetched from there', async () => {
    env['WIN_AUTOMATION_ARTIFACT_MIRROR_TO_WINDOWS'] = 'true';
    startWorker();
    const id = await enqueue('--', 'hostname');
    await watch(id);
    const there = join(lab.state.root, 'ProgramData/win-automation/artifacts', id);
    await eventually('the copy is there', () => existsSync(join(there, 'manifest.json')));
    rmSync(folder(id), { recursive: true });
    const { exitCode, words } = await run(['artifacts', 'fetch', '--job', id, '--out', join(program.home, 'out')]);
    assert.deepEqual([exitCode, words['from']], [0, 'windows']);
  });

  it('are refused with every problem of their input, and nothing is enqueued', async () => {
    const input = JSON.stringify({ command: '', shell: 'zsh', extra: 1 });
    const { exitCode, logs } = await run(['jobs', 'enqueue', '--type', 'windows.exec', '--input', input]);
    assert.equal(exitCode, 2);
    assert.deepEqual(logs.map(({ msg }) => /input (\w+)/.exec(msg ?? '')?.[1]).sort(), ['command', 'extra', 'shell']);
    assert.equal(existsSync(join(program.home, 'state/jobs.sqlite')), false);
  });

  for (const id of ['../x', 'a/b', '.hidden', 'x'.repeat(200), 'a b', '']) {
    it(`refuse the id ${JSON.stringify(id.slice(0, 20))} before any path is made of it`, async () => {
      assert.equal((await run(['jobs', 'status', `--id=${id}`])).exitCode, 2);
      assert.equal((await run(['artifacts', 'list', `--job=${id}`])).exitCode, 2);
    });
  }

  it('leave a store of a newer schema alone', async () => {
    const path = join(program.home, 'newer.sqlite');
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 99');
    db.close();
    const { exitCode, logs } = await run(['jobs', 'list'], { env: { WIN_AUTOMATION_JOBS_STORE: path } });
    assert.deepEqual([exitCode, logs.at(-1)?.['code']], [2, 'store_newer']);
    const db2 = new DatabaseSync(path);
    assert.equal((db2.prepare('PRAGMA user_version').get() as { user_version: number }).user_version, 99);
    db2.close();
  });

  it('fail with the path where the artifacts can not be written', async () => {
    writeFileSync(join(program.home, 'file'), '');
    const out = join(program.home, 'file/artifacts');
    const { exitCode, logs } = await run(['aloha', 'run', '--task', 'x'], {
      env: { WIN_AUTOMATION_ARTIFACT_OUT: out },
    });
    assert.equal(exitCode, 1);
    assert.ok(logs.at(-1)?.['msg']?.includes(out));
  });

  describe('with artifacts that are not what they should be', () => {
    const finished = async () => {
      startWorker();
      const id = await enqueue('--', 'hostname');
      await watch(id);
      return id;
    };
    const edit = (id: string, change: (manifest: Record<string, unknown>) => void) => {
      const path = join(folder(id), 'manifest.json');
      const manifest = JSON.parse(readFileSync(path, 'utf8'));
      change(manifest);
      writeFileSync(path, JSON.stringify(manifest));
    };

    it('name a file that was changed, and fetch nothing', async () => {
      const id = await finished();
      writeFileSync(join(folder(id), 'ssh/stdout.txt'), 'LAB-WINDOWX\r\n');
      const { exitCode, stdout } = await run(['artifacts', 'verify', '--job', id]);
      assert.equal(exitCode, 1);
      assert.match(stdout.toString(), /path=ssh\/stdout.txt state=wrong_hash/);
      const out = join(program.home, 'out');
      assert.equal((await run(['artifacts', 'fetch', '--job', id, '--out', out])).exitCode, 1);
      assert.equal(existsSync(out), false);
    });

    it('refuse a link that leaves the folder', async () => {
      const id = await finished();
      const path = join(folder(id), 'ssh/stdout.txt');
      copyFileSync(path, join(program.home, 'same'));
      rmSync(path);
      symlinkSync(join(program.home, 'same'), path);
      const { exitCode, stdout } = await run(['artifacts', 'verify', '--job', id]);
      assert.equal(exitCode, 1);
      assert.match(stdout.toString(), /leaves_folder/);
    });

    for (const path of ['/etc/passwd', '../x', 'a/../../x', 'a\\b', 'a//b', '']) {
      it(`refuse the path ${JSON.stringify(path)} in a manifest`, async () => {
        const id = await finished();
        edit(id, (manifest) => {
          manifest['artifacts'] = [{ type: 'ssh', path, size_bytes: 0, sha256: '0'.repeat(64) }];
        });
        const { exitCode, logs } = await run(['artifacts', 'verify', '--job', id]);
        assert.deepEqual([exitCode, logs.at(-1)?.['code']], [1, 'artifact_refused']);
      });
    }

    it('refuse a manifest of 100 MB without reading it', async () => {
      const id = await finished();
      writeFileSync(join(folder(id), 'manifest.json'), Buffer.alloc(100_000_000, ' '));
      const { exitCode, peakRssBytes, logs } = await run(['artifacts', 'list', '--job', id]);
      assert.deepEqual([exitCode, logs.at(-1)?.['code']], [1, 'artifact_refused']);
      assert.ok(peakRssBytes < 150e6);
    });
  });

  it('are cleaned up by age, but not what is no job', async () => {
    startWorker();
    const [old, young] = [await enqueue('--', 'hostname'), await enqueue('--', 'ver')];
    for (const id of [old, young]) await watch(id);
    const path = join(folder(old), 'manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...manifest, created_at: '2020-01-01T00:00:00.000Z' }));
    mkdirSync(join(program.home, 'artifacts/notes'));
    const dry = await run(['artifacts', 'gc', '--dry-run']);
    assert.deepEqual([dry.exitCode, dry.words['jobs'], existsSync(folder(old))], [0, old, true]);
    const { exitCode, words } = await run(['artifacts', 'gc']);
    assert.deepEqual([exitCode, words['removed']], [0, '1']);
    assert.ok(!existsSync(folder(old)) && existsSync(folder(young)));
    assert.ok(readdirSync(join(program.home, 'artifacts')).includes('notes'));
  });

  it('are told by one page that real Chromium shows, whatever they wrote', {
    skip: existsSync('/usr/bin/chromium') ? false : 'no chromium',
  }, async () => {
    startWorker();
    const id = await enqueue('--', 'echo "<script>document.title=1</script>" & hostname');
    await watch(id);
    const page = join(program.home, 'report.html');
    assert.equal((await run(['artifacts', 'report', '--job', id, '--out', page])).exitCode, 0);
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
