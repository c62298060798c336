// Makes Hatchet's own server ready for the tests: PostgreSQL from Debian, and the engine built from its Go module, once for
// every version, into a cache folder outside the tree. What can't be had is said; the suites that need it are skipped by name.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const versions = ['v0.105.0', 'v0.77.36'];
const cache =
  process.env.WIN_AUTOMATION_TEST_HATCHET_DIR ??
  join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'win-automation-test', 'hatchet');

if (!existsSync('/usr/lib/postgresql') && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
  console.log('setup: installing postgresql');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env });
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'postgresql'], {
      stdio: 'inherit',
      env,
    });
  } catch (error) {
    console.log(`setup: ${error.message}; the suites of Hatchet are skipped`);
  }
}

for (const version of versions) {
  const dir = join(cache, version);
  const missing = ['migrate', 'admin', 'lite'].filter((name) => !existsSync(join(dir, `hatchet-${name}`)));
  if (missing.length === 0) continue;
  try {
    build(version, dir, missing);
  } catch (error) {
    console.log(`setup: Hatchet ${version} can't be built: ${error.message}; its suites are skipped`);
  }
}

function build(version, dir, names) {
  console.log(`setup: building Hatchet ${version}, some minutes the first time`);
  // Not `go install …@version`: that asks a module proxy for the list of versions, which not every proxy gives.
  const module = JSON.parse(
    execFileSync('go', ['mod', 'download', '-json', `github.com/hatchet-dev/hatchet@${version}`], {
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1 << 24,
    }).toString(),
  );
  mkdirSync(dir, { recursive: true });
  for (const name of names) {
    const target = join(dir, `hatchet-${name}`);
    const args = ['build', '-buildvcs=false', '-ldflags', `-X main.Version=${version}`, '-o', `${target}.tmp`];
    execFileSync('go', [...args, `./cmd/hatchet-${name}`], { cwd: module.Dir, stdio: ['ignore', 'ignore', 'inherit'] });
    renameSync(`${target}.tmp`, target);
  }
}
