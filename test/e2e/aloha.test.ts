import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { type RunOptions, whyNoExecutable } from '../support/executable.ts';
import { startTestLab, type TestLab, whyNoLab } from '../support/lab.ts';
import { LabAndProgram } from '../support/lab-and-program.ts';
import { eventually } from '../support/processes.ts';
import { suite } from '../support/suite.ts';

const skip = whyNoExecutable ?? whyNoLab ?? false;
const overSsh = {
  WIN_AUTOMATION_ALOHA_TRANSPORT: 'ssh',
  WIN_AUTOMATION_ALOHA_SERVER_URL: 'http://127.0.0.1:7887',
  WIN_AUTOMATION_ALOHA_CLIENT_URL: 'http://127.0.0.1:7888',
};

suite('aloha', skip, () => {
  const at = new LabAndProgram();
  const run = (args: readonly string[], options: RunOptions = {}) => at.run(['aloha', ...args], options);
  const task = (...args: string[]) => run(['run', '--task', 'open the door', ...args]);
  const idle = () => eventually('Aloha is idle', () => !at.lab.aloha.runs.isOn);

  it('health tells server and client apart', async () => {
    const { exitCode, stdout } = await run(['health', '--json']);
    const { checks } = JSON.parse(stdout.toString());
    assert.equal(exitCode, 0);
    assert.deepEqual(
      checks.map(({ check, state }: { check: string; state: string }) => [check, state]),
      [
        ['aloha_server', 'ok'],
        ['aloha_client', 'ok'],
      ],
    );
  });

  it('health names a half that is dead, with exit 3', async () => {
    await at.lab.setFault('aloha-client-dead', true);
    const { exitCode, stdout } = await run(['health', '--json']);
    await at.lab.setFault('aloha-client-dead', false);
    const [server, client] = JSON.parse(stdout.toString()).checks;
    assert.deepEqual([exitCode, server.state, client.reason], [3, 'ok', 'not_running']);
  });

  it('health says the firewall where TCP connects and HTTP hangs, with both rules of the reference', async () => {
    await at.lab.setFault('firewall', true);
    const { exitCode, stdout } = await run(['health'], { env: { WIN_AUTOMATION_TIMEOUT: '1s' } });
    await at.lab.setFault('firewall', false);
    assert.equal(exitCode, 4);
    assert.match(stdout.toString(), /New-NetFirewallRule -DisplayName Aloha-7887 [^"]*-LocalPort 7887 -Profile Any/);
    assert.match(stdout.toString(), /New-NetFirewallRule -DisplayName Aloha-7888 [^"]*-LocalPort 7888 -Profile Any/);
  });

  it('reaches both through SSH where the firewall lets nothing else in', async () => {
    await at.lab.setFault('firewall', true);
    const health = await run(['health'], { env: overSsh });
    const done = await run(['run', '--task', 'x'], { env: overSsh });
    await at.lab.setFault('firewall', false);
    assert.deepEqual([health.exitCode, done.exitCode, done.words['state']], [0, 0, 'completed']);
  });

  it('run follows a task to its end, and keeps what that very run left', async () => {
    const { exitCode, words } = await task();
    assert.deepEqual([exitCode, words['state'], words['steps']], [0, 'completed', '3']);
    const manifest = JSON.parse(readFileSync(join(at.program.home, words['artifacts'] ?? '', 'manifest.json'), 'utf8'));
    assert.equal(manifest.state, 'completed');
    const paths: string[] = manifest.artifacts.map(({ path }: { path: string }) => path);
    assert.ok(paths.includes('aloha/response.json'));
    assert.equal(paths.filter((path) => path.endsWith('planning.json')).length, 3);
    assert.ok(paths.every((path) => !path.includes('/steps/') || path.includes(words['task_id'] ?? '')));
    assert.equal(paths.filter((path) => path.startsWith('aloha/run/screenshots/')).length, 3);
  });

  it('run sends all five fields every time, and one step more than asked', async () => {
    await task('--max-steps', '7', '--trace-name', 'taught');
    assert.deepEqual(at.lab.aloha.runs.parameters, {
      task: 'open the door',
      selected_screen: 0,
      trace_id: 'taught',
      server_url: 'http://127.0.0.1:7887/generate_action',
      max_steps: 8,
    });
    await task();
    assert.deepEqual(
      [at.lab.aloha.runs.parameters.trace_id, at.lab.aloha.runs.parameters.max_steps],
      ['example_trace', 51],
    );
  });

  it('run at its step limit is no success', async () => {
    const { exitCode, words } = await task('--max-steps', '2');
    assert.deepEqual([exitCode, words['state'], words['steps']], [1, 'step_limit', '2']);
  });

  it('run fails where the Aloha server is gone, though the client says success', async () => {
    await at.lab.setFault('aloha-server-dead', true);
    const { exitCode, words } = await task();
    await at.lab.setFault('aloha-server-dead', false);
    assert.deepEqual(
      [exitCode, words['state'], words['message']],
      [1, 'failed', 'No response from Run server. Exiting.'],
    );
  });

  it('run fails on a screen that does not exist', async () => {
    const { words } = await task('--selected-screen', '3');
    assert.deepEqual([words['state'], words['message']], ['failed', 'list index out of range']);
  });

  it('run tells when somebody else stopped it', async () => {
    const [{ words, exitCode }] = await Promise.all([
      task(),
      eventually('it runs', () => at.lab.aloha.runs.isOn).then(() => at.lab.aloha.runs.stop()),
    ]);
    assert.deepEqual([exitCode, words['state']], [1, 'stopped']);
  });

  it('run at its deadline stops the task and waits for its end', async () => {
    at.lab.aloha.runs.stepMs = 700;
    const { exitCode, words } = await task('--timeout', '1s');
    at.lab.aloha.runs.stepMs = 200;
    assert.deepEqual([exitCode, words['state'], at.lab.aloha.runs.isOn], [4, 'timeout', false]);
  });

  it('run under Ctrl-C stops the task and waits for its end', async () => {
    const { exitCode, words } = await run(['run', '--task', 'x'], {
      onStart: (child) => void eventually('it runs', () => at.lab.aloha.runs.isOn).then(() => child.kill('SIGINT')),
    });
    assert.deepEqual([exitCode, words['state'], at.lab.aloha.runs.isOn], [130, 'stopped', false]);
  });

  it('of two callers at once one runs and the other is told busy', async () => {
    const both = await Promise.all([task(), task()]);
    const states = both.map(({ words, exitCode }) => `${words['state']} ${exitCode}`).sort();
    assert.deepEqual(states, ['busy 1', 'completed 0']);
  });

  it('run only claims to have started it under --detach, or where the log can not be read', async () => {
    const detached = await task('--detach');
    assert.deepEqual([detached.exitCode, detached.words['state']], [0, 'started']);
    await idle();
    const blind = await run(['run', '--task', 'x'], { env: { WIN_AUTOMATION_ALOHA_DIR: '' } });
    assert.deepEqual([blind.exitCode, blind.words['state']], [0, 'started']);
    await idle();
  });

  it('run is blocked, with exit 1, where the desktop is locked', async () => {
    await at.lab.setFault('locked', true);
    const { exitCode, words } = await task();
    await at.lab.setFault('locked', false);
    assert.deepEqual([exitCode, words['state'], words['reason']], [1, 'blocked', 'locked']);
    assert.equal(at.lab.aloha.runs.isOn, false);
  });

  it('run is skipped where its check holds', async () => {
    const { exitCode, words } = await task('--idempotent', '--idempotent-check', 'exit 0');
    assert.deepEqual([exitCode, words['state']], [0, 'skipped']);
  });

  it('run warns of text that Aloha can not type', async () => {
    const { logs } = await run(['run', '--task', 'type Grüße']);
    assert.ok(logs.some(({ level, msg }) => level === 'warn' && msg?.includes('outside ASCII')));
  });

  for (const args of [
    ['run'],
    ['run', '--task', ' '],
    ['run', '--task', 'x', '--max-steps', '0'],
    ['run', '--task', 'x', '--max-steps', 'ten'],
  ]) {
    it(`refuses ${JSON.stringify(args)} and starts nothing`, async () => {
      assert.equal((await run(args)).exitCode, 2);
      assert.equal(at.lab.aloha.runs.isOn, false);
    });
  }
});

suite('the Aloha of the lab', whyNoLab ?? false, () => {
  let lab: TestLab;
  before(async () => {
    lab = await startTestLab();
  });
  after(() => lab.close());
  const client = () => lab.env['WIN_AUTOMATION_ALOHA_CLIENT_URL'];
  const server = () => lab.env['WIN_AUTOMATION_ALOHA_SERVER_URL'];
  const ask = async (method: string, url: string, body?: string) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await response.text();
    return { status: response.status, text, allow: response.headers.get('allow') };
  };

  it('answers as the original server does', async () => {
    assert.deepEqual((await ask('GET', `${server()}/`)).text, 'Aloha API server is running');
    assert.equal((await ask('GET', `${server()}/health`)).status, 404);
    const missing = await ask('POST', `${server()}/generate_action`, '{}');
    assert.deepEqual([missing.status, typeof JSON.parse(missing.text).error], [400, 'string']);
    const action = (screenshot: string) =>
      ask('POST', `${server()}/generate_action`, JSON.stringify({ screenshot, query: 'x' }));
    assert.equal((await action('not base64!')).status, 500);
    assert.match((await action('aGk=')).text, /"status":"success".*ERROR/);
  });

  it('answers as the original client does', async () => {
    assert.equal((await ask('GET', `${client()}/`)).status, 404);
    const probe = await ask('GET', `${client()}/run_task`);
    assert.deepEqual([probe.status, probe.allow?.includes('POST')], [405, true]);
    for (const body of ['{}', 'no json']) {
      const { status, text } = await ask('POST', `${client()}/run_task`, body);
      assert.deepEqual([status, text], [400, '{"status":"error","message":"Missing required field(s): task"}']);
    }
    const idle = await ask('POST', `${client()}/stop`);
    assert.deepEqual([idle.status, JSON.parse(idle.text).message], [400, 'No active task to stop']);
    const started = await ask('POST', `${client()}/run_task`, '{"task":"x","max_steps":3}');
    assert.deepEqual([started.status, started.text], [200, '{"status":"success","message":"Task started","task":"x"}']);
    const busy = await ask('POST', `${client()}/run_task`, '{"task":"y"}');
    assert.deepEqual([busy.status, JSON.parse(busy.text).message], [409, 'A task is already running']);
    assert.equal(JSON.parse((await ask('POST', `${client()}/stop`)).text).message, 'Stop signal sent');
    await eventually('it stops', () => !lab.aloha.runs.isOn);
  });

  it('keeps the previous value of a field that is left out', async () => {
    await ask('POST', `${client()}/run_task`, '{"task":"a","max_steps":1,"trace_id":"sticky"}');
    await eventually('it ends', () => !lab.aloha.runs.isOn);
    await ask('POST', `${client()}/run_task`, '{"task":"b"}');
    assert.deepEqual([lab.aloha.runs.parameters.trace_id, lab.aloha.runs.parameters.max_steps], ['sticky', 1]);
    await eventually('it ends', () => !lab.aloha.runs.isOn);
  });
});
