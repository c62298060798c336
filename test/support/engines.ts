import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';

/** Engines that a test run insists on: a suite whose engine is missing then fails instead of being skipped. */
const required = (process.env['WIN_AUTOMATION_TEST_REQUIRE'] ?? '').split(',').map((name) => name.trim());

/** A program that some suites need, and that is not everywhere. */
export interface Engine {
  /** Undefined where there is none. */
  readonly path: string | undefined;
  /** Why the suites that need it are skipped, or undefined if they are not. */
  readonly whyNot: string | undefined;
}

function engine(name: string, path: string | undefined, how: string): Engine {
  if (path !== undefined) return { path, whyNot: undefined };
  if (required.includes(name))
    throw new Error(`WIN_AUTOMATION_TEST_REQUIRE asks for ${name}, and there is none: ${how}`);
  return { path, whyNot: `no ${name}: ${how}` };
}

/** A path that the environment names must be there: a typing error must not skip a suite. */
function named(variable: string): string | undefined {
  const path = process.env[variable];
  if (path === undefined || path === '') return undefined;
  if (!existsSync(path)) throw new Error(`${variable}: there is no ${path}`);
  return resolve(path);
}

function onPath(name: string): string | undefined {
  const dirs = (process.env['PATH'] ?? '').split(':').filter((dir) => dir !== '');
  return dirs.map((dir) => join(dir, name)).find((path) => existsSync(path));
}

const existing = (path: string) => (existsSync(path) ? path : undefined);

/** PowerShell 7 for this machine: WIN_AUTOMATION_TEST_PWSH, `pwsh` on PATH, or the dotnet tool. */
export const pwsh: Engine = engine(
  'pwsh',
  named('WIN_AUTOMATION_TEST_PWSH') ?? onPath('pwsh') ?? existing(join(homedir(), '.dotnet/tools/pwsh')),
  'install PowerShell 7 (dotnet tool install --global PowerShell) or set WIN_AUTOMATION_TEST_PWSH',
);

/** The host that is nearly Windows: WIN_AUTOMATION_TEST_WINEHOST, or what test/winehost/build made. */
export const winehost: Engine = engine(
  'winehost',
  named('WIN_AUTOMATION_TEST_WINEHOST') ??
    existing(join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'win-automation-winehost/winehost')),
  'run test/winehost/build (Debian and NuGet) or set WIN_AUTOMATION_TEST_WINEHOST',
);

/** Runs a text in PowerShell, fresh, and returns what it printed. For what needs no product around it. */
export function runPwsh(args: readonly string[], input = '') {
  if (pwsh.path === undefined) throw new Error(pwsh.whyNot);
  const { status, stdout, stderr } = spawnSync(pwsh.path, ['-NoProfile', '-NonInteractive', ...args], { input });
  return { exitCode: status, stdout: stdout.toString(), stderr: stderr.toString() };
}
