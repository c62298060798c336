import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';

/**
 * The whole test run: checks, build, the suites under Bun and under Deno, and the end-to-end suites on the executable.
 * Ends with one line, `N passed, N failed, N skipped`. Suites may be named: `bun test/run.ts e2e`.
 */
interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

const bin = (name: string) => resolve('node_modules/.bin', name);
const scratch = mkdtempSync(join(tmpdir(), 'wa-test-'));
const total: Count = { passed: 0, failed: 0, skipped: 0 };
const env: Record<string, string | undefined> = { ...process.env, NO_COLOR: '1' };
const wanted = process.argv.slice(2);

const unitSuites = readdirSync('test', { withFileTypes: true })
  .map((entry) => (entry.isDirectory() ? entry.name : ''))
  .filter(
    (name) => !['', 'e2e', 'bench', 'support', 'lab', 'winehost', 'with-hatchet', 'with-powershell'].includes(name),
  )
  .map((name) => `test/${name}`);

function run(argv: readonly [string, ...string[]], cwd = '.'): boolean {
  console.log(`\n$ ${argv.map((word) => word.replace(`${resolve('.')}/node_modules/.bin/`, '')).join(' ')}`);
  const [program, ...args] = argv;
  return spawnSync(program, args, { stdio: 'inherit', env, cwd }).status === 0;
}

/** A tool that passes or fails as a whole counts as one test. */
function check(name: string, argv: readonly [string, ...string[]]): void {
  const isGood = run(argv);
  total[isGood ? 'passed' : 'failed'] += 1;
  if (!isGood) console.log(`FAILED: ${name}`);
}

/** Runs a suite that writes JUnit XML, and counts from that: a runner that dies counts as a failure. */
function suite(name: string, argv: (reportFile: string) => readonly [string, ...string[]]): void {
  const report = join(scratch, `${name}.xml`);
  tally(name, run(argv(report)), report);
}

function tally(name: string, isGood: boolean, report: string): void {
  const count = existsSync(report) ? countJunit(readFileSync(report, 'utf8')) : { passed: 0, failed: 0, skipped: 0 };
  if (!isGood && count.failed === 0) count.failed = 1;
  for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += count[key];
  console.log(`${name}: ${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
}

/** Runs files of tests while others run; what they print comes in one piece. */
async function besideOthers(name: string, ...files: readonly string[]): Promise<void> {
  const report = join(scratch, `${name.replaceAll('/', '-')}.xml`);
  const [program, ...args] = bunTest(report, ...files);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  }
  const exitCode = await new Promise<number | null>((done) => child.once('close', done));
  console.log(`\n$ bun test ${files.join(' ')}\n${printed}`);
  tally(name, exitCode === 0, report);
}

function countJunit(xml: string): Count {
  const cases = xml.match(/<testcase\b[^>]*?(\/>|>[\s\S]*?<\/testcase>)/g) ?? [];
  const failed = cases.filter((one) => /<(failure|error)\b/.test(one)).length;
  const skipped = cases.filter((one) => one.includes('<skipped')).length;
  return { passed: cases.length - failed - skipped, failed, skipped };
}

/**
 * Builds in a copy of the tree that is removed at once: Bun writes the build machine's absolute paths into an executable,
 * and what works only beside its node_modules must not work here.
 */
function buildOutOfReach(): string | undefined {
  const tree = join(scratch, 'tree');
  mkdirSync(tree);
  for (const name of ['src', 'package.json', 'tsconfig.json', 'build.ts', 'node_modules']) {
    cpSync(name, join(tree, name), { recursive: true, verbatimSymlinks: true });
  }
  const commit = spawnSync('git', ['rev-parse', '--short=12', 'HEAD']).stdout?.toString().trim();
  if (commit) env['BUILD_COMMIT'] = commit;
  const isBuilt = run([bin('bun'), 'build.ts'], tree);
  const executable = join(scratch, 'win-automation');
  if (isBuilt) copyFileSync(join(tree, 'dist/win-automation'), executable);
  rmSync(tree, { recursive: true, force: true });
  return isBuilt ? executable : undefined;
}

const stages: Record<string, () => void | Promise<void>> = {
  check: () => {
    check('types', [bin('tsc')]);
    check('types under Deno', [bin('deno'), 'check', '--node-modules-dir=manual', 'src/main.ts', ...unitSuites]);
    check('lint and format', [bin('biome'), 'ci', '.']);
    check('dead code', [bin('knip')]);
    suite('house', (report) => bunTest(report, 'test/architecture.test.ts'));
  },
  bun: () => suite('unit under Bun', (report) => bunTest(report, ...unitSuites)),
  deno: () =>
    suite('unit under Deno', (report) => [
      bin('deno'),
      'test',
      '-A',
      '--no-check',
      '--quiet',
      '--node-modules-dir=manual',
      `--junit-path=${report}`,
      ...unitSuites,
    ]),
  e2e: () => {
    if (haveExecutable()) suite('end to end', (report) => bunTest(report, 'test/e2e'));
  },
  hatchet: async () => {
    if (!haveExecutable()) return;
    const files = readdirSync('test/with-hatchet').map((name) => `test/with-hatchet/${name}`);
    await Promise.all(files.map((file) => besideOthers(file, file)));
  },
  powershell: async () => {
    if (!haveExecutable()) return;
    const files = readdirSync('test/with-powershell').map((name) => `test/with-powershell/${name}`);
    const [onHost, onEngine] = [true, false].map((isOnHost) =>
      files.filter((file) => file.includes('/winehost-') === isOnHost),
    );
    await Promise.all([
      besideOthers('PowerShell on this machine', ...(onEngine ?? [])),
      besideOthers('the nearly-Windows host', ...(onHost ?? [])),
    ]);
  },
};

/** Builds it, unless that was done; where it can't be built, that is one failure. */
function haveExecutable(): boolean {
  env['TEST_EXECUTABLE'] ??= buildOutOfReach();
  if (env['TEST_EXECUTABLE'] === undefined) total.failed += 1;
  return env['TEST_EXECUTABLE'] !== undefined;
}

function bunTest(report: string, ...paths: string[]): readonly [string, ...string[]] {
  return [bin('bun'), 'test', '--timeout', '240000', '--reporter=junit', `--reporter-outfile=${report}`, ...paths];
}

try {
  for (const [name, stage] of Object.entries(stages)) if (wanted.length === 0 || wanted.includes(name)) await stage();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
