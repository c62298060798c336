import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, before, it } from 'node:test';
import { installExecutable, type RunOptions, whyNoExecutable } from '../support/executable.ts';
import { whyNoLab } from '../support/lab.ts';
import { LabAndProgram } from '../support/lab-and-program.ts';
import { eventually } from '../support/processes.ts';
import { suite } from '../support/suite.ts';

const whyNoChromium = existsSync('/usr/bin/chromium') ? undefined : 'no /usr/bin/chromium: install chromium';
const skip = whyNoExecutable ?? whyNoLab ?? whyNoChromium ?? false;

suite('supervisor', skip, () => {
  const at = new LabAndProgram();
  // The first start of a browser takes longer than a check may.
  before(async () => void (await at.run(['playwright', 'health'])));
  const stateDir = () => join(at.program.home, 'state');
  afterEach(() => rmSync(stateDir(), { recursive: true, force: true }));
  const run = (args: readonly string[], options: RunOptions = {}) =>
    at.run(['supervisor', ...args], {
      ...options,
      env: { WIN_AUTOMATION_STATE_DIR: stateDir(), WIN_AUTOMATION_TIMEOUT: '2s', ...options.env },
    });
  interface Line {
    readonly component: string;
    readonly state: string;
    readonly reason: string;
    readonly breaker: string;
    readonly remedy: string;
    readonly changes: string;
  }
  const once = async (env: Record<string, string> = {}, ...args: string[]) => {
    const { exitCode, stdout } = await run(['run', '--once', '--json', ...args], { env });
    const payload = JSON.parse(stdout.toString());
    const of = (name: string): Line => payload.components.find(({ component }: Line) => component === name);
    return { exitCode, payload, of };
  };

  it('finds a healthy host healthy, in the order of the reference', async () => {
    const { exitCode, payload } = await once();
    assert.deepEqual([exitCode, payload.state, payload.repaired], [0, 'healthy', 0]);
    assert.deepEqual(
      payload.components.map(({ component }: Line) => component),
      ['ssh', 'aloha_server', 'aloha_client', 'hatchet', 'playwright'],
    );
  });

  for (const [fault, component, change] of [
    ['firewall', 'aloha_server', 'firewall rule Aloha-7887'],
    ['firewall', 'playwright', 'firewall rule WinAutomation-Playwright-9323'],
    ['aloha-server-dead', 'aloha_server', 'scheduled task WinAutomation-AlohaServer started'],
    ['aloha-client-dead', 'aloha_client', 'scheduled task WinAutomation-AlohaClient started'],
    ['playwright-dead', 'playwright', 'scheduled task WinAutomation-Playwright started'],
  ] as const) {
    it(`repairs ${fault} in one pass (${component}); a second one changes nothing`, async () => {
      await at.lab.setFault(fault, true);
      const first = await once();
      assert.deepEqual([first.exitCode, first.of(component).remedy], [0, 'done']);
      assert.ok(first.of(component).changes.includes(change), first.of(component).changes);
      const second = await once();
      assert.deepEqual([second.exitCode, second.payload.repaired], [0, 0]);
    });
  }

  it('registers the task of the Playwright server again where it is gone', async () => {
    at.lab.state.tasks.delete('WinAutomation-Playwright');
    await at.lab.setFault('playwright-dead', true);
    const { of } = await once();
    assert.match(of('playwright').changes, /registered and started/);
  });

  it('says what it would do under --dry-run, and does nothing', async () => {
    await at.lab.setFault('aloha-client-dead', true);
    const { exitCode, of } = await once({}, '--dry-run');
    assert.deepEqual([exitCode, of('aloha_client').remedy], [1, 'planned']);
    assert.match(of('aloha_client').changes, /python app_client\.py/);
    assert.equal(at.lab.state.faults.has('aloha-client-dead'), true);
    await at.lab.setFault('aloha-client-dead', false);
  });

  it('reports where nobody is logged on, and does not start a GUI program for nobody', async () => {
    await at.lab.setFault('aloha-client-dead', true);
    await at.lab.setFault('nobody', true);
    const { exitCode, of } = await once();
    await at.lab.setFault('nobody', false);
    await at.lab.setFault('aloha-client-dead', false);
    assert.deepEqual([exitCode, of('aloha_client').remedy], [1, 'failed']);
    assert.match(of('aloha_client').changes, /nobody is logged on/);
  });

  it('ends with exit 3 where SSH can not be reached, and tries no remedy', async () => {
    await at.lab.setFault('aloha-client-dead', true);
    const { exitCode, of } = await once({ WIN_AUTOMATION_WINDOWS_SSH_PORT: '1' });
    await at.lab.setFault('aloha-client-dead', false);
    assert.deepEqual([exitCode, of('ssh').state, of('aloha_client').remedy], [3, 'failed', 'impossible']);
  });

  it('opens the breaker after three failpoint passes; the fourth runs no remedy; after the cooldown one trial', async () => {
    const env = { WIN_AUTOMATION_SUPERVISOR_FAILPOINT: 'aloha_server', WIN_AUTOMATION_SUPERVISOR_COOLDOWN: '2s' };
    for (let i = 0; i < 3; i += 1) {
      const { exitCode, of } = await once(env);
      assert.deepEqual([exitCode, of('aloha_server').reason, of('aloha_server').remedy], [1, 'failpoint', 'failed']);
    }
    assert.deepEqual(
      [(await once(env)).of('aloha_server').breaker, (await once(env)).of('aloha_server').remedy],
      ['open', 'held'],
    );
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    assert.equal((await once(env)).of('aloha_server').breaker, 'half_open');
    assert.equal((await once()).of('aloha_server').state, 'ok');
    const { stdout } = await run(['status', '--json']);
    const status = JSON.parse(stdout.toString());
    assert.deepEqual(
      status.components.map(({ breaker }: Line) => breaker),
      ['closed', 'closed', 'closed', 'closed', 'closed'],
    );
    assert.ok(status.history.some(({ event }: { event: string }) => event === 'remedy_failed'));
  });

  it('tells a change of state, and only a change, by a command and a webhook', async () => {
    const bodies: string[] = [];
    const answers = [503, 200, 200, 200];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        bodies.push(body);
        response.writeHead(answers.shift() ?? 200).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const file = join(at.program.home, 'told.jsonl');
    const env = {
      WIN_AUTOMATION_SUPERVISOR_WEBHOOK_URL: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/hook`,
      WIN_AUTOMATION_SUPERVISOR_ON_CHANGE_CMD: `cat >> ${file}`,
    };
    const failing = { ...env, WIN_AUTOMATION_SUPERVISOR_FAILPOINT: 'ssh' };
    await once(env);
    assert.equal(existsSync(file), false);
    await once(failing);
    await once(failing);
    // As words this time, which no shell takes apart.
    const words = JSON.stringify(['tee', '-a', file]);
    await once({ ...env, WIN_AUTOMATION_SUPERVISOR_ON_CHANGE_CMD: words });
    server.close();
    const told = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      told.map(({ from, to }) => `${from} ${to}`),
      ['healthy failed', 'failed healthy'],
    );
    // The first was answered 503, and told again.
    assert.equal(bodies.length, 3);
    assert.deepEqual(JSON.parse(bodies[1] ?? '').to, 'failed');
  });

  it('hands no secret of ours to the command of a change, unless it is named', async () => {
    const file = join(at.program.home, 'environment');
    const env = {
      WIN_AUTOMATION_SUPERVISOR_ON_CHANGE_CMD: `env > ${file}`,
      WIN_AUTOMATION_WINDOWS_SSH_PASSWORD: 'canary-password',
      WIN_AUTOMATION_WINDOWS_SSH_PASSPHRASE: 'canary-passphrase',
      OTHER: 'stays',
    };
    const named = { WIN_AUTOMATION_SUPERVISOR_ON_CHANGE_ENV: 'WIN_AUTOMATION_WINDOWS_SSH_PASSWORD' };
    await once(env);
    await once({ ...env, WIN_AUTOMATION_SUPERVISOR_FAILPOINT: 'ssh' });
    const seen = readFileSync(file, 'utf8');
    assert.match(seen, /^OTHER=stays$/m);
    assert.doesNotMatch(seen, /canary/);
    await once({ ...env, ...named });
    const afterwards = readFileSync(file, 'utf8');
    assert.match(afterwards, /canary-password/);
    assert.doesNotMatch(afterwards, /canary-passphrase/);
  });

  it('keeps the address of a webhook out of its log', async () => {
    await once();
    const { stderr } = await run(['run', '--once'], {
      env: {
        WIN_AUTOMATION_SUPERVISOR_WEBHOOK_URL: 'http://127.0.0.1:1/hooks/s3cr3t',
        WIN_AUTOMATION_SUPERVISOR_FAILPOINT: 'hatchet',
        WIN_AUTOMATION_RETRY_ATTEMPTS: '1',
      },
    });
    assert.match(stderr, /op=notify .*how=webhook/);
    assert.ok(!stderr.includes('s3cr3t'), stderr);
  });

  it('serves what it last saw under --listen', async () => {
    const port = 30_000 + Math.floor(Math.random() * 10_000);
    let stop = () => undefined as unknown;
    const running = run(['run', '--interval', '1s', '--listen', `127.0.0.1:${port}`], {
      onStart: (child) => {
        stop = () => child.kill('SIGTERM');
      },
    });
    const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
    await eventually('a pass is over', async () => (await ask('/ready'))?.status === 200, 10_000);
    const text = (await (await ask('/metrics'))?.text()) ?? '';
    stop();
    await running;
    assert.match(text, /^win_automation_up\{host="default",component="ssh"\} 1$/m);
    assert.match(text, /^win_automation_breaker_open\{host="default",component="playwright"\} 0$/m);
  });

  it('logs a failpoint at warn, and refuses an unknown one with exit 2', async () => {
    const { logs } = await run(['run', '--once'], { env: { WIN_AUTOMATION_SUPERVISOR_FAILPOINT: 'hatchet,ssh' } });
    assert.equal(logs.filter(({ level, op }) => level === 'warn' && op === 'failpoint').length, 2);
    const bad = await run(['run', '--once'], { env: { WIN_AUTOMATION_SUPERVISOR_FAILPOINT: 'aloha_sever' } });
    assert.equal(bad.exitCode, 2);
    assert.match(bad.stderr, /did you mean aloha_server/);
  });

  it('works alone: a second one says so and exits 0 under --once', async () => {
    let stop = () => undefined as unknown;
    const first = run(['run', '--interval', '1s'], {
      onStart: (child) => {
        stop = () => child.kill('SIGTERM');
      },
    });
    await eventually('the first one holds the lock', () => existsSync(join(stateDir(), 'supervisor.lock')));
    const second = await run(['run', '--once']);
    assert.deepEqual([second.exitCode, second.words['state']], [0, 'busy']);
    stop();
    assert.equal((await first).exitCode, 143);
    assert.equal(existsSync(join(stateDir(), 'supervisor.lock')), false);
  });

  it('leaves a state file that loads, whenever it is killed', async () => {
    await once();
    for (let i = 0; i < 20; i += 1) {
      await run(['run', '--once'], {
        onStart: (child) => void setTimeout(() => child.kill('SIGKILL'), 60 + Math.random() * 400),
      });
      JSON.parse(readFileSync(join(stateDir(), 'supervisor.json'), 'utf8'));
    }
    assert.equal((await once()).exitCode, 0);
  });

  it('sets a damaged state file aside and goes on', async () => {
    await once();
    writeFileSync(join(stateDir(), 'supervisor.json'), '{"half');
    const { exitCode, logs } = await run(['run', '--once']);
    assert.equal(exitCode, 0);
    assert.ok(logs.some(({ msg }) => msg?.includes('set aside')));
  });
});

suite('doctor on a Windows host (the lab)', skip, () => {
  const at = new LabAndProgram();
  // The first start of a browser takes longer than a check may.
  before(async () => void (await at.run(['playwright', 'health'])));
  const doctor = async (env: Record<string, string> = {}) => {
    const options = { env: { ...at.lab.env, WIN_AUTOMATION_TIMEOUT: '2s', ...env } };
    const { exitCode, stdout } = await at.program.run(['doctor', '--json'], options);
    const payload = JSON.parse(stdout.toString());
    const of = (name: string) => payload.checks.find(({ check }: { check: string }) => check === name);
    return { exitCode, payload, of };
  };

  for (const [fault, check, state, reason, exitCode] of [
    ['firewall', 'aloha_client', 'failed', 'http_hangs', 4],
    ['aloha-hang', 'aloha_server', 'failed', 'http_hangs', 4],
    ['aloha-server-dead', 'aloha_server', 'failed', 'not_running', 3],
    ['aloha-client-dead', 'aloha_client', 'failed', 'not_running', 3],
    ['locked', 'aloha_client', 'degraded', 'locked', 1],
    ['disconnected', 'aloha_client', 'degraded', 'disconnected', 1],
    ['nobody', 'aloha_client', 'degraded', 'nobody_logged_on', 1],
    ['disk-full', 'ssh', 'degraded', 'disk_full', 1],
    ['clock-skew', 'ssh', 'degraded', 'clock_skew', 1],
    ['playwright-dead', 'playwright', 'failed', 'http_unreachable', 3],
    ['playwright-old', 'playwright', 'failed', 'version_mismatch', 3],
    ['host-key-changed', 'ssh', 'failed', 'host_key_changed', 3],
  ] as const) {
    it(`names ${fault}: ${check} is ${state}, ${reason}, exit ${exitCode}`, async () => {
      await at.lab.setFault(fault, true);
      const told = await doctor();
      await at.lab.setFault(fault, false);
      assert.deepEqual([told.of(check).state, told.of(check).reason, told.exitCode], [state, reason, exitCode]);
    });
  }
});

suite('doctor where SSH is down', whyNoExecutable ?? false, () => {
  it('says unknown, and not failed, of what goes through it', async () => {
    const program = installExecutable();
    const env = {
      WIN_AUTOMATION_WINDOWS_SSH_PASSWORD: 'pw',
      WIN_AUTOMATION_WINDOWS_SSH_PORT: '1',
      WIN_AUTOMATION_ALOHA_TRANSPORT: 'ssh',
      WIN_AUTOMATION_PLAYWRIGHT_TRANSPORT: 'ssh',
      WIN_AUTOMATION_PLAYWRIGHT_WS_PATH: 'some-secret-path',
    };
    const { exitCode, stdout } = await program.run(['doctor', '--json'], { env });
    program.remove();
    const states = JSON.parse(stdout.toString()).checks.map(({ state }: { state: string }) => state);
    assert.deepEqual([exitCode, states], [3, ['failed', 'unknown', 'unknown', 'skipped', 'unknown']]);
  });
});
