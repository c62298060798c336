import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { after, before, it } from 'node:test';
import { parse } from 'yaml';
import { installExecutable, runProgram, whyNoExecutable } from '../support/executable.ts';
import { startTestLab, type TestLab, whyNoLab } from '../support/lab.ts';
import { suite } from '../support/suite.ts';

const nixDir = resolve('nix');
const whyNoNix = existsSync('/usr/bin/nix-instantiate') ? undefined : 'no nix-instantiate (Debian: nix-bin)';
const nixpkgsLib = process.env['NIXPKGS_LIB'];
const whyNoLib = nixpkgsLib === undefined ? 'NIXPKGS_LIB names no checkout of nix-community/nixpkgs.lib' : undefined;
const whyNoSystemd = existsSync('/usr/bin/systemd-analyze') ? undefined : 'no systemd-analyze (Debian: systemd)';

/** nix-instantiate with a store of its own, which goes with the test. */
class Nix {
  readonly dir = mkdtempSync(join(tmpdir(), 'wa-nix-'));

  instantiate(args: readonly string[]): {
    readonly status: number | null;
    readonly stdout: string;
    readonly stderr: string;
  } {
    const env = { PATH: process.env['PATH'], HOME: this.dir };
    const own = Object.fromEntries(
      ['STORE', 'STATE', 'LOG', 'CONF'].map((name) => [`NIX_${name}_DIR`, join(this.dir, name.toLowerCase())]),
    );
    const options = { env: { ...env, ...own }, encoding: 'utf8', maxBuffer: 1 << 26 } as const;
    return spawnSync('nix-instantiate', args, options);
  }

  remove(): void {
    // What Nix has put into its store is read-only.
    spawnSync('chmod', ['-R', 'u+w', this.dir]);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

suite('Nix files', whyNoNix, () => {
  const nix = new Nix();
  after(() => nix.remove());
  for (const file of [
    'flake.nix',
    ...readdirSync('nix', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.nix'))
      .map((name) => `nix/${name}`),
  ]) {
    it(`parse: ${file}`, () => {
      const { status, stderr } = nix.instantiate(['--parse', file]);
      assert.equal(status, 0, stderr);
      assert.doesNotMatch(readFileSync(file, 'utf8'), /\t| +$/m, 'tabs or spaces at the end of a line');
    });
  }
});

interface Evaluated {
  readonly failed: readonly string[];
  readonly units: Readonly<Record<string, string>>;
  readonly containers: Readonly<
    Record<
      string,
      {
        readonly image: string;
        readonly cmd?: readonly string[];
        readonly environment: object;
        readonly ports: readonly string[];
        readonly volumes: readonly string[];
      }
    >
  >;
}

suite('the NixOS module', whyNoNix ?? whyNoLib ?? whyNoExecutable ?? whyNoLab, () => {
  const nix = new Nix();
  const program = installExecutable();
  const exeDir = join(nix.dir, 'package');
  let lab: TestLab;
  before(async () => {
    mkdirSync(join(exeDir, 'bin'), { recursive: true });
    copyFileSync(program.path, join(exeDir, 'bin/win-automation'));
    lab = await startTestLab();
  });
  after(async () => {
    await lab.close();
    program.remove();
    nix.remove();
  });

  const instantiate = (name: string) => {
    // What the module would write into the store is really written.
    const lib = ['--read-write-mode', '--arg', 'lib', `import ${nixpkgsLib}/lib`];
    const file = join(nixDir, 'tests/evaluate.nix');
    return nix.instantiate([
      '--eval',
      '--strict',
      '--json',
      file,
      ...lib,
      '--argstr',
      'name',
      name,
      '--argstr',
      'exeDir',
      exeDir,
    ]);
  };
  const evaluate = (name: string): Evaluated => {
    const { status, stdout, stderr } = instantiate(name);
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
  };
  const settingOf = (unit: string, key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? '';

  const gc = ['win-automation-artifacts-gc.service', 'win-automation-artifacts-gc.timer'];
  const passes = ['win-automation-supervisor.service', 'win-automation-supervisor.timer'];
  const worker = 'win-automation-worker.service';
  const job = (name: string) => [`win-automation-job-${name}.service`, `win-automation-job-${name}.timer`];
  for (const [name, units] of [
    ['minimal', [...gc, ...passes, worker]],
    ['full', [...gc, ...job('nightly-check'), 'win-automation-supervisor.service', worker]],
    ['severalHosts', [...gc, ...job('clean-beta'), ...passes, worker]],
    [
      'ownVm',
      [...gc, 'win-automation-hatchet-setup.service', 'win-automation-hatchet-token.service', ...passes, worker],
    ],
    ['existingVm', [...gc, ...passes, worker]],
    ['timersOnly', [...gc, ...passes]],
  ] as const) {
    it(`makes the units of the configuration ${name}, which systemd has nothing to say against`, {
      skip: whyNoSystemd ?? false,
    }, () => {
      const { failed, units: made } = evaluate(name);
      assert.deepEqual([failed, Object.keys(made).sort()], [[], [...units].sort()]);
      const dir = mkdtempSync(join(nix.dir, 'units-'));
      for (const [unit, text] of Object.entries(made)) writeFileSync(join(dir, unit), text);
      const services = Object.keys(made).filter((unit) => unit.endsWith('.service'));
      // What stands for the containers and the VM is not ours.
      for (const other of [
        'podman-win-automation-hatchet',
        'podman-win-automation-hatchet-postgres',
        'podman-windows',
        'libvirt-guests',
      ]) {
        writeFileSync(join(dir, `${other}.service`), '[Service]\nExecStart=/bin/true\n');
      }
      const env = { PATH: process.env['PATH'], SYSTEMD_UNIT_PATH: `${dir}:` };
      const verified = spawnSync(
        'systemd-analyze',
        ['verify', '--man=no', ...Object.keys(made).map((unit) => join(dir, unit))],
        { env, encoding: 'utf8' },
      );
      const ours = verified.stderr.split('\n').filter((line) => line.includes('win-automation'));
      assert.deepEqual([verified.status, ours], [0, []]);
      for (const unit of services.filter((one) => !one.includes('-hatchet-'))) {
        const judged = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=19', join(dir, unit)], {
          env,
          encoding: 'utf8',
        });
        assert.equal(judged.status, 0, `${unit}: ${judged.stdout.trim().split('\n').at(-1)}`);
      }
    });
  }

  for (const [name, message] of [
    ['twoVms', /keep one of them/],
    ['openVm', /set environmentFile.*password is known to everybody/],
    ['twoTokens', /makes a token of its own; remove secrets\.hatchetTokenFile/],
    ['noToken', /there is no token: set secrets\.hatchetTokenFile or hatchet\.enable/],
    ['unusedServer', /does not use; remove one of them/],
    ['unknownHost', /jobs\.schedules\.lost\.host is alhpa, which settings\.hosts does not have/],
  ] as const) {
    it(`refuses the configuration ${name} and says what to change`, () => {
      const { failed } = evaluate(name);
      assert.match(failed.join('\n'), message);
    });
  }

  it('refuses a value of a wrong type', () => {
    const { status, stderr } = instantiate('wrongType');
    assert.notEqual(status, 0);
    assert.match(stderr, /worker\.concurrency/);
  });

  it('starts everything after the VM and after Hatchet, which is reachable on loopback alone', () => {
    const existing = evaluate('existingVm').units[worker] ?? '';
    assert.match(settingOf(existing, 'After'), /libvirt-guests\.service/);
    const { units, containers } = evaluate('ownVm');
    const own = units[worker] ?? '';
    assert.match(settingOf(own, 'After'), /podman-windows\.service win-automation-hatchet-token\.service/);
    assert.equal(settingOf(own, 'Requires'), 'win-automation-hatchet-token.service');
    assert.match(own, /^LoadCredential=hatchet-token:\/var\/lib\/win-automation-hatchet\/token$/m);
    for (const port of Object.values(containers).flatMap(({ ports = [] }) => ports))
      assert.match(port, /^127\.0\.0\.1:/);
    assert.deepEqual(containers['windows']?.ports.slice(0, 4), [
      '127.0.0.1:22555:22',
      '127.0.0.1:7887:7887',
      '127.0.0.1:7888:7888',
      '127.0.0.1:9323:9323',
    ]);
    assert.ok(containers['windows']?.volumes.some((volume) => volume.endsWith(':/oem:ro')));
  });

  it('runs the same server as hatchet up does', async () => {
    const { hatchet, postgres } = parse((await program.run(['hatchet', 'compose'])).stdout.toString()).services;
    const { containers } = evaluate('ownVm');
    const [own, database] = [containers['win-automation-hatchet'], containers['win-automation-hatchet-postgres']];
    assert.deepEqual([own?.image, database?.image, database?.cmd], [hatchet.image, postgres.image, postgres.command]);
    // The secret ones come from a file there.
    const { DATABASE_URL: _, ADMIN_PASSWORD: __, ...environment } = hatchet.environment;
    assert.deepEqual(own?.environment, environment);
  });

  it('writes JSON that config check takes; a misspelt setting fails that step', async () => {
    const configOf = (name: string) =>
      /WIN_AUTOMATION_CONFIG=(\S+)/.exec(evaluate(name).units[worker] ?? '')?.[1] ?? '';
    for (const name of ['minimal', 'full', 'severalHosts', 'ownVm', 'existingVm']) {
      const { exitCode, stderr } = await program.run(['config', 'check', '--config', configOf(name)]);
      assert.equal(exitCode, 0, stderr);
    }
    const { exitCode, stderr } = await program.run(['config', 'check', '--config', configOf('misspelt')]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /windows\.ssh_prot: unknown key .did you mean ssh_port/);
  });

  /** Runs a unit's command as systemd would: its line, its environment, its credentials in a folder. */
  const commandOf = (unit: string) => {
    const credentials = mkdtempSync(join(nix.dir, 'credentials-'));
    const given: Record<string, string> = {
      'ssh-identity': readFileSync(lab.env['WIN_AUTOMATION_WINDOWS_SSH_IDENTITY_FILE'] ?? '', 'utf8'),
      'playwright-ws-path': lab.env['WIN_AUTOMATION_PLAYWRIGHT_WS_PATH'] ?? 'x'.repeat(40),
      'hatchet-token': 'unused',
    };
    for (const [, name = ''] of unit.matchAll(/^LoadCredential=([^:]+):/gm)) {
      writeFileSync(join(credentials, name), given[name] ?? 'unused', { mode: 0o400 });
    }
    const state = mkdtempSync(join(nix.dir, 'state-'));
    const { WIN_AUTOMATION_PLAYWRIGHT_WS_PATH: _, WIN_AUTOMATION_WINDOWS_SSH_IDENTITY_FILE: __, ...labEnv } = lab.env;
    const own = Object.fromEntries(
      [...unit.matchAll(/^Environment=([^=]+)=(.*)$/gm)].map(([, name = '', value = '']) => [
        name,
        value.replace('%d', credentials),
      ]),
    );
    const env = {
      ...labEnv,
      ...own,
      HOME: state,
      WIN_AUTOMATION_STATE_DIR: state,
      WIN_AUTOMATION_ARTIFACT_OUT: join(state, 'artifacts'),
      WIN_AUTOMATION_JOBS_ENGINE: 'local',
    };
    return { argv: settingOf(unit, 'ExecStart').split(' '), env };
  };

  it('has commands that work: the job, the worker, the pass and the clean-up, with credentials from files', {
    timeout: 60_000,
  }, async () => {
    const { units } = evaluate('full');
    const run = async (unit: string, more: Record<string, string> = {}) => {
      const { argv, env } = commandOf(units[unit] ?? '');
      return await runProgram(argv, nix.dir, { env: { ...env, ...more } });
    };
    const shared = mkdtempSync(join(nix.dir, 'shared-'));
    const state = { WIN_AUTOMATION_STATE_DIR: shared };
    const enqueued = await run('win-automation-job-nightly-check.service', state);
    assert.deepEqual([enqueued.exitCode, enqueued.words['state']], [0, 'queued'], enqueued.stderr);
    const { argv, env } = commandOf(units[worker] ?? '');
    const [file = '', ...args] = argv;
    const child = spawn(
      file,
      args.map((arg) => arg.replace('127.0.0.1:9464', '127.0.0.1:0')),
      { env: { ...env, ...state }, stdio: 'ignore' },
    );
    try {
      const watched = await program.run(['jobs', 'watch', '--id', enqueued.words['job_id'] ?? ''], { env: state });
      assert.equal(watched.exitCode, 0, watched.stderr);
    } finally {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      assert.equal(await ended, 0);
    }
    assert.equal((await run('win-automation-artifacts-gc.service', state)).exitCode, 0);
    const pass = commandOf(evaluate('minimal').units['win-automation-supervisor.service'] ?? '');
    const identity = {
      WIN_AUTOMATION_WINDOWS_SSH_IDENTITY_FILE: lab.env['WIN_AUTOMATION_WINDOWS_SSH_IDENTITY_FILE'] ?? '',
    };
    const passed = await runProgram(pass.argv, nix.dir, { env: { ...pass.env, ...identity } });
    assert.equal(passed.exitCode, 0, passed.stdout.toString() + passed.stderr);
  });
});

suite('what package-lock.json means to Nix', whyNoNix ?? whyNoLib, () => {
  const nix = new Nix();
  after(() => nix.remove());

  it('is every package that is needed, with its address, its hash and its place', () => {
    const lib = `import ${nixpkgsLib}/lib`;
    const expression = `(import ${nixDir}/lock.nix { lib = ${lib}; lockFile = ${resolve('package-lock.json')}; }).modulesFor`;
    for (const [cpu, bun] of [
      ['x64', 'x64'],
      ['arm64', 'aarch64'],
    ] as const) {
      const { status, stdout, stderr } = nix.instantiate([
        '--eval',
        '--strict',
        '--json',
        '-E',
        `${expression} { os = "linux"; cpu = "${cpu}"; libc = "glibc"; }`,
      ]);
      assert.equal(status, 0, stderr);
      const modules: { path: string; url: string; hash: string }[] = JSON.parse(stdout);
      const buns = modules.filter(({ path }) => path.startsWith('node_modules/@oven/')).map(({ path }) => path);
      assert.deepEqual(buns, [`node_modules/@oven/bun-linux-${bun}`]);
      for (const { url, hash } of modules) {
        assert.match(url, /^https:\/\/.*\/-\/[^/]+-\d[^/]*\.tgz$/);
        assert.match(hash, /^sha512-[A-Za-z0-9+/]{86}==$/);
      }
    }
  });
});

const cacheDir = join(
  process.env['npm_config_cache'] ?? join(process.env['HOME'] ?? '', '.npm'),
  '_cacache/content-v2',
);
const bunModule = `node_modules/@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}`;
interface LockedPackage {
  readonly optional?: boolean;
  readonly integrity?: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}
const locked: Record<string, LockedPackage> = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;
/** Where npm keeps the tarball that a hash names. */
const tarballOf = (integrity: string): string => {
  const [algorithm = '', digest = ''] = integrity.split('-', 2);
  const hex = Buffer.from(digest, 'base64').toString('hex');
  return join(cacheDir, algorithm, hex.slice(0, 2), hex.slice(2, 4), hex.slice(4));
};
const whyNoTarballs = existsSync(tarballOf(locked[bunModule]?.integrity ?? ''))
  ? undefined
  : "npm's cache does not have the packages";

suite('the steps of the Nix package, run by hand', whyNoTarballs, () => {
  it('unpack what the lock file names, build, test, install, and leave an executable that runs', {
    timeout: 240_000,
  }, () => {
    const tree = mkdtempSync(join(tmpdir(), 'wa-nix-build-'));
    try {
      for (const name of [
        'src',
        'test',
        'nix',
        'README.md',
        'build.ts',
        'bunfig.toml',
        'package.json',
        'tsconfig.json',
      ]) {
        cpSync(name, join(tree, name), { recursive: true });
      }
      // What nix/lock.nix leaves away, this does too.
      const unneeded = /^node_modules\/(@biomejs|@deno|@typescript|deno|knip|playwright-core-old|typescript)(\/|$)/;
      const fits = ({ optional, os, cpu = [process.arch], libc = ['glibc'] }: LockedPackage) =>
        (os ?? (optional ? [] : ['linux'])).includes('linux') && cpu.includes(process.arch) && libc.includes('glibc');
      const wanted = Object.entries(locked).filter(([path, one]) => path !== '' && !unneeded.test(path) && fits(one));
      for (const [path, { integrity = '' }] of wanted) {
        const bytes = readFileSync(tarballOf(integrity));
        assert.equal(`sha512-${createHash('sha512').update(bytes).digest('base64')}`, integrity, path);
      }
      writeFileSync(
        join(tree, 'modules'),
        wanted.map(([path, { integrity = '' }]) => `${path} ${tarballOf(integrity)}\n`).join(''),
      );
      const bun = `./${bunModule}/bin/bun`;
      const loader = process.arch === 'arm64' ? '/lib/ld-linux-aarch64.so.1' : '/lib64/ld-linux-x86-64.so.2';
      const interpreter = existsSync('/usr/bin/patchelf') ? `useInterpreter ${loader} ${bun}` : `chmod +x ${bun}`;
      const steps = `source nix/build.sh; unpackModules modules; ${interpreter}; buildExecutable ${bun} 0123abc; runUnitTests ${bun}; installFiles out`;
      const env = { PATH: process.env['PATH'] ?? '', HOME: tree };
      execFileSync('/bin/bash', ['-c', steps], { cwd: tree, env, stdio: 'pipe', maxBuffer: 1 << 26 });
      const out = join(tree, 'out');
      rmSync(join(tree, 'node_modules'), { recursive: true });
      const version = JSON.parse(
        execFileSync(join(out, 'bin/win-automation'), ['version', '--json'], { env: { HOME: out } }).toString(),
      );
      assert.equal(version.commit, '0123abc');
      const installed = readdirSync(join(out, 'share'), { recursive: true, encoding: 'utf8' });
      for (const name of [
        'bash-completion/completions/win-automation',
        'zsh/site-functions/_win-automation',
        'fish/vendor_completions.d/win-automation.fish',
        'man/man1/win-automation.1',
      ]) {
        assert.ok(installed.includes(name), name);
      }
      assert.match(readFileSync(join(out, 'share/man/man1/win-automation.1'), 'utf8'), /^\.TH WIN/);
    } finally {
      rmSync(tree, { recursive: true, force: true });
    }
  });
});
