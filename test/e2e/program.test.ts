import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import packageJson from '../../package.json' with { type: 'json' };
import { type Executable, installExecutable, whyNoExecutable } from '../support/executable.ts';
import { suite } from '../support/suite.ts';

suite('the executable, alone in an empty folder', whyNoExecutable ?? false, () => {
  let program: Executable;
  before(() => {
    program = installExecutable();
  });
  after(() => program.remove());

  const jsonOf = async (...args: string[]) => JSON.parse((await program.run(args)).stdout.toString());
  const fileWith = (name: string, content: string) => {
    const path = join(program.home, name);
    writeFileSync(path, content);
    return path;
  };

  it('prints its version', async () => {
    const { exitCode, stdout, stderr } = await program.run(['--version']);
    assert.deepEqual([exitCode, stdout.toString(), stderr], [0, `${packageJson.version}\n`, '']);
  });

  it('tells under version --json what it is built on, and from which commit', async () => {
    const version = await jsonOf('version', '--json');
    assert.equal(version.version, packageJson.version);
    assert.equal(version.bun, packageJson.devDependencies.bun);
    assert.equal(version.deno_compat, packageJson.devDependencies.deno);
    assert.equal(version.hatchet_sdk_version, packageJson.dependencies['@hatchet-dev/typescript-sdk']);
    assert.match(version.commit, /^([0-9a-f]{12}(-dirty)?|unknown)$/);
  });

  it('runs no code of the folder it is started in', async () => {
    const cwd = join(program.home, 'hostile');
    mkdirSync(cwd);
    const leave = `require('node:fs').writeFileSync(${JSON.stringify(join(cwd, 'owned'))}, '')`;
    writeFileSync(join(cwd, 'preload.js'), leave);
    writeFileSync(join(cwd, 'bunfig.toml'), 'preload = ["./preload.js"]\n');
    writeFileSync(join(cwd, '.env'), 'WIN_AUTOMATION_TIMEOUT=59s\n');
    writeFileSync(join(cwd, 'package.json'), '{"imports": {"#x": "./preload.js"}}');
    writeFileSync(join(cwd, 'tsconfig.json'), '{"compilerOptions": {"paths": {"citty": ["./preload.js"]}}}');
    const { stdout } = await program.run(['config', 'show'], { cwd });
    assert.match(stdout.toString(), /^key=timeout value=10s origin=default$/m);
    await assert.rejects(
      import('node:fs/promises').then((fs) => fs.stat(join(cwd, 'owned'))),
      { code: 'ENOENT' },
    );
  });

  for (const command of [
    [],
    ['windows'],
    ['windows', 'exec'],
    ['doctor'],
    ['config', 'show'],
    ['version'],
    ['completion'],
  ]) {
    it(`explains ${command.join(' ') || 'itself'} under --help, with an example`, async () => {
      const { exitCode, stdout } = await program.run([...command, '--help']);
      assert.equal(exitCode, 0);
      assert.ok(stdout.includes(`USAGE ${['win-automation', ...command].join(' ')} [OPTIONS]`), stdout.toString());
      assert.ok(!stdout.includes('\u001b'), 'no colour into a pipe');
      if (command.length > 0 && command.join() !== 'windows')
        assert.match(stdout.toString(), /EXAMPLES\n\n {2}win-automation /);
    });
  }

  it('shows its help, as a usage error, where no command is given', async () => {
    const { exitCode, stdout, stderr } = await program.run([]);
    assert.deepEqual([exitCode, stdout.length], [2, 0]);
    assert.match(stderr, /COMMANDS/);
    assert.ok(!/^ +complete /m.test(stderr), 'what is hidden stays hidden');
  });

  it('suggests the nearest command and flag, with exit 2', async () => {
    for (const [args, guess] of [
      [['docter'], '(did you mean doctor?)'],
      [['windows', 'exec', '--raww', '--', 'x'], '(did you mean --raw?)'],
    ] as const) {
      const { exitCode, logs, stdout } = await program.run(args);
      assert.deepEqual([exitCode, stdout.length, logs.length], [2, 0, 1]);
      assert.ok(logs[0]?.['msg']?.endsWith(guess));
    }
  });

  for (const shell of ['bash', 'zsh', 'fish']) {
    it(`prints a completion script for ${shell}`, async () => {
      const { exitCode, stdout } = await program.run(['completion', shell]);
      assert.equal(exitCode, 0);
      assert.match(stdout.toString(), /win-automation complete -- /);
    });
  }

  it('completes commands and flags', async () => {
    const complete = async (...words: string[]) => (await program.run(['complete', '--', ...words])).stdout.toString();
    assert.match(await complete('wind'), /^windows\t/m);
    assert.match(await complete('windows', 'ex'), /^exec\t/m);
    assert.match(await complete('windows', 'exec', '--prop'), /^--propagate-exit\t/m);
  });

  it('shows the configuration with origins, as words and as JSON', async () => {
    const config = fileWith('c.json', '{"windows": {"ssh_port": 2222}}');
    const env = { WIN_AUTOMATION_HATCHET_TOKEN: 'tell-nobody' };
    const words = await program.run(['config', 'show', '--config', config], { env });
    assert.match(words.stdout.toString(), /^key=windows\.ssh_port value=2222 origin=file$/m);
    assert.match(
      words.stdout.toString(),
      /^key=hatchet\.token value=\[redacted\] origin=WIN_AUTOMATION_HATCHET_TOKEN$/m,
    );
    const json = await program.run(['--json', '--config', config, 'config', 'show'], { env });
    assert.equal(JSON.parse(json.stdout.toString()).file, config);
    assert.ok(!`${words.stdout}${json.stdout}`.includes('tell-nobody'));
  });

  it('checks a configuration, and says every fault on a line of its own', async () => {
    const good = await program.run(['config', 'check']);
    assert.deepEqual([good.exitCode, good.words['state']], [0, 'ok']);
    const config = fileWith('bad.json', '{"windows": {"ssh_port": 70000, "ssh_usr": "x"}, "timeout": "10"}');
    const bad = await program.run(['config', 'check', '--config', config]);
    assert.deepEqual([bad.exitCode, bad.stdout.length], [2, 0]);
    assert.deepEqual(
      bad.logs.map((line) => [line['level'], line['code']]),
      Array(3).fill(['error', 'config_invalid']),
    );
  });

  it('prints a JSON Schema', async () => {
    const schema = await jsonOf('config', 'schema');
    assert.equal(schema.properties.windows.properties.ssh_port.default, 22_555);
  });

  it('checks everything under doctor, and says what cannot be reached', async () => {
    const env = {
      WIN_AUTOMATION_WINDOWS_SSH_PORT: '1',
      WIN_AUTOMATION_WINDOWS_SSH_PASSWORD: 'pw',
      WIN_AUTOMATION_JOBS_ENGINE: 'hatchet',
      WIN_AUTOMATION_ALOHA_SERVER_URL: 'http://127.0.0.1:1',
      WIN_AUTOMATION_ALOHA_CLIENT_URL: 'http://127.0.0.1:1',
      WIN_AUTOMATION_HATCHET_HEALTH_URL: 'http://127.0.0.1:1',
    };
    const { exitCode, stdout } = await program.run(['doctor', '--json'], { env });
    assert.equal(exitCode, 3);
    const { checks, hatchet_sdk_version } = JSON.parse(stdout.toString());
    assert.deepEqual(
      checks.map(({ check, state, reason }: Record<string, string>) => [check, state, reason]),
      [
        ['ssh', 'failed', 'ssh_unreachable'],
        ['aloha_server', 'failed', 'http_unreachable'],
        ['aloha_client', 'failed', 'http_unreachable'],
        ['hatchet', 'failed', 'http_unreachable'],
        ['playwright', 'skipped', 'no_ws_path'],
      ],
    );
    assert.ok(hatchet_sdk_version);
  });

  it('logs nothing that breaks the schema, whatever is wrong', async () => {
    for (const args of [
      ['--config', '/none', 'doctor'],
      ['doctor', '--host', 'ü "x"\n'],
      ['windows', 'exec', '--', 'x'],
    ]) {
      const { logs } = await program.run([...args], { env: { WIN_AUTOMATION_WINDOWS_SSH_PORT: '1' } });
      assert.ok(logs.length > 0);
      for (const line of logs)
        assert.deepEqual(Object.keys(line).slice(0, 5), ['ts', 'level', 'component', 'op', 'msg']);
    }
  });
});
