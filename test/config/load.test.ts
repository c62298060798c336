import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { type Environment, hostConfig, loadConfig } from '../../src/config/load.ts';
import { settings } from '../../src/config/sections.ts';
import { listSettings } from '../../src/config/show.ts';
import { ProblemsError } from '../../src/core/errors.ts';

const dir = mkdtempSync(join(tmpdir(), 'wa-config-'));
after(() => rmSync(dir, { recursive: true, force: true }));

let count = 0;
function fileWith(content: unknown): string {
  count += 1;
  const path = join(dir, `${count}.json`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const load = (content?: unknown, env: Environment = {}) =>
  loadConfig({ file: content === undefined ? undefined : fileWith(content), env: { HOME: '/home/me', ...env } });

/** The problems that loading finds. */
async function problems(content?: unknown, env: Environment = {}): Promise<readonly string[]> {
  const error = await load(content, env).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof ProblemsError, 'loading was to fail');
  assert.equal(error.code, 'config_invalid');
  return error.problems;
}

describe('the configuration', () => {
  it('has the defaults of the reference', async () => {
    const { config } = await load();
    assert.equal(config.windows.ssh_host, 'localhost');
    assert.equal(config.windows.ssh_port, 22_555);
    assert.equal(config.windows.ssh_user, 'administrator');
    assert.equal(config.aloha.server_url, 'http://127.0.0.1:7887');
    assert.equal(config.aloha.client_url, 'http://127.0.0.1:7888');
    assert.equal(config.hatchet.http_url, 'http://localhost:8888');
    assert.equal(config.hatchet.grpc_address, 'localhost:7077');
    assert.equal(config.hatchet.health_url, 'http://localhost:8733');
    assert.equal(config.playwright.port, 9_323);
    assert.equal(config.artifacts.out_dir, './artifacts');
    assert.equal(config.artifacts.retention_days, 7);
    assert.equal(config.timeout, 10_000);
    assert.equal(config.retry.attempts, 3);
  });

  it('takes the file over the defaults and the environment over the file, and knows which', async () => {
    const { config, origins } = await load(
      { windows: { ssh_port: 2201, ssh_user: 'file' }, timeout: '5s' },
      { WIN_AUTOMATION_WINDOWS_SSH_USER: 'env', WIN_AUTOMATION_ARTIFACT_OUT: '/srv/out' },
    );
    assert.deepEqual(
      [config.windows.ssh_port, config.windows.ssh_user, config.timeout, config.artifacts.out_dir],
      [2201, 'env', 5_000, '/srv/out'],
    );
    assert.deepEqual(
      ['windows.ssh_port', 'windows.ssh_user', 'windows.ssh_host', 'artifacts.out_dir'].map((key) => origins[key]),
      ['file', 'WIN_AUTOMATION_WINDOWS_SSH_USER', 'default', 'WIN_AUTOMATION_ARTIFACT_OUT'],
    );
  });

  it('reads no file unless one is named, then that of --config before that of WIN_AUTOMATION_CONFIG', async () => {
    const [a, b] = [fileWith({ windows: { ssh_user: 'a' } }), fileWith({ windows: { ssh_user: 'b' } })];
    const env = { HOME: '/', WIN_AUTOMATION_CONFIG: b };
    assert.equal((await loadConfig({ env })).config.windows.ssh_user, 'b');
    assert.equal((await loadConfig({ file: a, env })).config.windows.ssh_user, 'a');
  });

  it('takes an empty variable for one that is not set', async () => {
    const { config } = await load(undefined, { WIN_AUTOMATION_WINDOWS_SSH_HOST: '' });
    assert.equal(config.windows.ssh_host, 'localhost');
  });

  it('trims trailing slashes, and the path that people paste along', async () => {
    const { config } = await load({ aloha: { server_url: 'http://vm:1//', client_url: 'http://vm:2/run_task/' } });
    assert.deepEqual([config.aloha.server_url, config.aloha.client_url], ['http://vm:1', 'http://vm:2']);
  });

  it('puts the home folder for ~, and XDG_STATE_HOME for the state if it is absolute', async () => {
    const { config } = await load();
    assert.equal(config.windows.ssh_known_hosts_file, '/home/me/.ssh/known_hosts');
    assert.equal(config.state_dir, '/home/me/.local/state/win-automation');
    assert.equal((await load({}, { XDG_STATE_HOME: '/x' })).config.state_dir, '/x/win-automation');
    assert.equal((await load({}, { XDG_STATE_HOME: 'x' })).config.state_dir, '/home/me/.local/state/win-automation');
  });

  it('gives a host what its overrides say, and the rest from the default one', async () => {
    const { config } = await load({ windows: { ssh_user: 'u' }, hosts: { alpha: { windows: { ssh_port: 1 } } } });
    assert.deepEqual(
      [hostConfig(config, 'alpha').windows.ssh_port, hostConfig(config, 'alpha').windows.ssh_user],
      [1, 'u'],
    );
    assert.equal(hostConfig(config).windows.ssh_port, 22_555);
    assert.throws(() => hostConfig(config, 'alhpa'), { code: 'usage', message: /did you mean alpha/ });
  });

  it('takes a command as a line for the shell or as words, from the environment too', async () => {
    const commandOf = async (on_change_cmd: unknown) =>
      (await load({ supervisor: { on_change_cmd } })).config.supervisor;
    assert.equal((await commandOf('a | b')).on_change_cmd, 'a | b');
    assert.deepEqual((await commandOf(['a', '', '| b'])).on_change_cmd, ['a', '', '| b']);
    for (const [text, read] of [
      ['["a", "b c"]', ['a', 'b c']],
      ['[ -f x ] && y', '[ -f x ] && y'],
    ] as const) {
      const loaded = await load({}, { WIN_AUTOMATION_SUPERVISOR_ON_CHANGE_CMD: text });
      assert.deepEqual(loaded.config.supervisor.on_change_cmd, read);
    }
    const accepted = 'give a line for /bin/sh, or an array of a program and its arguments';
    for (const wrong of [[], [''], [1], {}, '', 'a\n']) {
      const [problem = ''] = await problems({ supervisor: { on_change_cmd: wrong } });
      assert.ok(problem.startsWith('supervisor.on_change_cmd: ') && problem.endsWith(accepted), problem);
    }
  });

  it('warns of a variable that nothing reads', async () => {
    const { warnings } = await load({}, { WIN_AUTOMATION_WINDOWS_SHH_HOST: 'x', WIN_AUTOMATION_METRICS_PATH: '/m' });
    assert.deepEqual(warnings, [
      'WIN_AUTOMATION_WINDOWS_SHH_HOST is set, but nothing reads it; did you mean WIN_AUTOMATION_WINDOWS_SSH_HOST?',
    ]);
  });
});

describe('a wrong configuration', () => {
  it('names key, value, origin and what is accepted, for every fault at once', async () => {
    const found = await problems(
      { windows: { ssh_port: 70_000, ssh_hots: 'x' }, timeout: '10', nonsense: 1 },
      { WIN_AUTOMATION_HATCHET_WORKER_CONCURRENCY: '0' },
    );
    assert.deepEqual([...found].sort(), [
      'hatchet.worker_concurrency: 0 (from WIN_AUTOMATION_HATCHET_WORKER_CONCURRENCY) is not accepted: give a whole number from 1 to 100',
      'nonsense: unknown key',
      'timeout: "10" (from file) is not accepted: give a duration such as 500ms, 30s, 10m, 1h or 1m30s, from 1s to 1h',
      'windows.ssh_hots: unknown key (did you mean ssh_host?)',
      'windows.ssh_port: 70000 (from file) is not accepted: give a whole number from 1 to 65535',
    ]);
  });

  for (const [key, value] of [
    ['windows.ssh_port', 0],
    ['windows.ssh_port', '22'],
    ['windows.ssh_port', 1.5],
    ['windows.ssh_host', 'host:22'],
    ['windows.ssh_host', 'a b'],
    ['windows.ssh_user', ''],
    ['windows.ssh_user', 'a\nb'],
    ['windows.ssh_host_key_policy', 'yes'],
    ['windows.shell', 'bash'],
    ['aloha.server_url', 'ftp://x'],
    ['aloha.server_url', '127.0.0.1:7887'],
    ['hatchet.grpc_address', 'localhost'],
    ['hatchet.grpc_address', 'localhost:70000'],
    ['hatchet.worker_concurrency', 101],
    ['hatchet.retry_max', 11],
    ['hatchet.job_timeout', '2h'],
    ['supervisor.interval', '999ms'],
    ['artifacts.mirror_to_windows', 'yes'],
  ] as const) {
    it(`refuses ${key} = ${JSON.stringify(value)}`, async () => {
      const [section = '', name = ''] = key.split('.');
      const found = await problems({ [section]: { [name]: value } });
      assert.equal(found.length, 1);
      assert.ok(
        found[0]?.startsWith(`${key}: ${JSON.stringify(value)} (from file) is not accepted: give `),
        String(found),
      );
    });
  }

  it('keeps no secret: the file is told where to put it', async () => {
    assert.deepEqual(await problems({ hatchet: { token: 'tell-nobody' } }), [
      'hatchet.token: a secret is not kept in the file: set WIN_AUTOMATION_HATCHET_TOKEN or WIN_AUTOMATION_HATCHET_TOKEN_FILE',
    ]);
  });

  it('checks hosts as strictly', async () => {
    const found = await problems({
      hosts: { a: { windows: { ssh_port: 0, x: 1 }, jobs: {} }, 'b c': {}, default: {}, d: 7 },
    });
    assert.equal(found.length, 6);
    assert.ok(found.includes('hosts.a.windows.x: unknown key'));
    assert.ok(found.includes('hosts.a.jobs: unknown key'));
  });

  for (const [what, content, problem] of [
    ['empty', '', /: it is empty; \{\} is the least it may hold$/],
    ['not JSON', '{"a": 1,\n "b" 2}', /:2:6: not JSON: colon expected$/],
    ['cut off', '{"windows": {', /:1:14: not JSON: close brace expected$/],
    ['no object', '[1]', /: it holds no JSON object$/],
  ] as const) {
    it(`says that the file is ${what}`, async () => {
      const found = await problems(content);
      assert.equal(found.length, 1);
      assert.match(found[0] ?? '', problem);
    });
  }

  it('says that the file is missing, a folder, a link to itself, or too large', async () => {
    const huge = fileWith('{}');
    truncateSync(huge, 100_000_000);
    symlinkSync(join(dir, 'loop'), join(dir, 'loop'));
    for (const [file, reason] of [
      [join(dir, 'none.json'), 'there is no such file'],
      [dir, 'it is a folder'],
      [join(dir, 'loop'), 'its symbolic links go round in circles'],
      [huge, '100000000 bytes are too many; at most 1048576 are read'],
      ['/dev/zero', 'it is not a regular file'],
    ] as const) {
      await assert.rejects(loadConfig({ file, env: {} }), { problems: [`configuration file ${file}: ${reason}`] });
    }
  });

  it('is told, never thrown at random, whatever the file holds', async () => {
    const keys = fc.constantFrom(...settings.map(({ key }) => key.split('.')));
    await fc.assert(
      fc.asyncProperty(keys, fc.jsonValue(), async ([section = '', name], value) => {
        const error = await load({ [section]: name === undefined ? value : { [name]: value } }).catch(
          (e: unknown) => e,
        );
        if (error instanceof Error) assert.ok(error instanceof ProblemsError, String(error));
      }),
      { numRuns: 300 },
    );
  });
});

describe('secrets', () => {
  it('come from the environment, or from a file that it names, without its line end', async () => {
    const file = fileWith('s3cret value\n');
    const { secrets } = await load(undefined, {
      WIN_AUTOMATION_WINDOWS_SSH_PASSWORD: 'pw',
      WIN_AUTOMATION_HATCHET_TOKEN_FILE: file,
    });
    assert.deepEqual(secrets, { sshPassword: 'pw', hatchetToken: 's3cret value' });
  });

  it('are refused in both forms at once, and in an empty or missing file', async () => {
    const both = { WIN_AUTOMATION_HATCHET_TOKEN: 't', WIN_AUTOMATION_HATCHET_TOKEN_FILE: '/x' };
    assert.deepEqual(await problems(undefined, both), [
      'hatchet.token: both WIN_AUTOMATION_HATCHET_TOKEN and WIN_AUTOMATION_HATCHET_TOKEN_FILE are set: keep one',
    ]);
    const empty = fileWith('\n');
    assert.match((await problems(undefined, { WIN_AUTOMATION_HATCHET_TOKEN_FILE: empty }))[0] ?? '', /it is empty$/);
    assert.match((await problems(undefined, { WIN_AUTOMATION_HATCHET_TOKEN_FILE: '/x' }))[0] ?? '', /no such file$/);
  });

  it('are shown redacted, with their origin', async () => {
    const loaded = await load(undefined, { WIN_AUTOMATION_PLAYWRIGHT_WS_PATH: 'tell-nobody' });
    const shown = listSettings(loaded);
    assert.deepEqual(
      shown.find(({ key }) => key === 'playwright.ws_path'),
      { key: 'playwright.ws_path', value: '[redacted]', origin: 'WIN_AUTOMATION_PLAYWRIGHT_WS_PATH' },
    );
    assert.ok(!JSON.stringify(shown).includes('tell-nobody'));
  });
});

describe('config show', () => {
  it('lists every setting as a user would write it', async () => {
    const shown = listSettings(
      await load({ hatchet: { job_timeout: '90s' }, hosts: { a: { aloha: { max_steps: 3 } } } }),
    );
    const byKey = Object.fromEntries(shown.map(({ key, value }) => [key, value]));
    assert.equal(byKey['hatchet.job_timeout'], '1m30s');
    assert.equal(byKey['windows.ssh_port'], 22_555);
    assert.equal(byKey['artifacts.mirror_to_windows'], false);
    assert.equal(byKey['windows.ssh_identity_file'], null);
    assert.equal(byKey['hosts.a.aloha.max_steps'], 3);
  });

  it('gives back a configuration that reads the same', async () => {
    const first = listSettings(
      await load({ timeout: '1m1s', supervisor: { webhook_url: 'https://h/x', on_change_cmd: 'a b' } }),
    );
    const file: Record<string, Record<string, unknown>> = {};
    for (const { key, value, origin } of first) {
      if (value === null || origin !== 'file') continue;
      const [section = '', name] = key.split('.');
      if (name === undefined) Object.assign(file, { [section]: value });
      else file[section] = { ...file[section], [name]: value };
    }
    assert.deepEqual(listSettings(await load(file)), first);
  });
});
