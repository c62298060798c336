// Makes a fresh Debian machine ready, with nothing but Node and npm: packages from npm, and Debian's OpenSSH, Chromium,
// Wine, Nix and what the PowerShell engines need, where this runs as root. What can't be had is said; the suites that need
// it are skipped by name.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const stamp = 'node_modules/.installed-lock';
const lockHash = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lockHash) {
  console.log('setup: installing npm packages');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { stdio: 'inherit' });
  writeFileSync(stamp, lockHash);
}

const wanted = [
  { path: '/usr/sbin/sshd', package: 'openssh-server' },
  { path: '/usr/bin/ssh-agent', package: 'openssh-client' },
  { path: '/usr/bin/chromium', package: 'chromium' },
  { path: '/usr/bin/wine', package: 'wine' },
  { path: '/usr/lib/wine/wine64', package: 'wine64' },
  { path: '/usr/bin/nix-instantiate', package: 'nix-bin' },
  { path: '/usr/bin/systemd-analyze', package: 'systemd' },
  { path: '/usr/bin/patchelf', package: 'patchelf' },
  { path: '/usr/bin/bwrap', package: 'bubblewrap' },
  { path: '/usr/bin/xz', package: 'xz-utils' },
  { path: '/usr/bin/Xvfb', package: 'xvfb' },
];
const missing = wanted.filter(({ path }) => !existsSync(path)).map((tool) => tool.package);
if (missing.length > 0 || !hasIcu()) installDebianPackages(missing);

/** Without ICU, PowerShell for Linux knows no culture but the invariant one. */
function hasIcu() {
  const folders = existsSync('/usr/lib') ? readdirSync('/usr/lib').filter((name) => name.endsWith('-linux-gnu')) : [];
  return folders.some((folder) => readdirSync(`/usr/lib/${folder}`).some((file) => /^libicuuc\.so\.\d+$/.test(file)));
}

/** The package with ICU: each Debian release has one, with ICU's own version in its name. */
function icuPackages() {
  const names = execFileSync('apt-cache', ['pkgnames', 'libicu'], { encoding: 'utf8' }).split('\n');
  const versions = names.map((name) => /^libicu(\d+)$/.exec(name)?.[1]).filter((version) => version !== undefined);
  return versions.length === 0 ? [] : [`libicu${Math.max(...versions.map(Number))}`];
}

function installDebianPackages(packages) {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    console.log(
      `setup: not root on Debian, so these are not installed: ${[...packages, ...(hasIcu() ? [] : ['libicu'])].join(', ')}`,
    );
    return;
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env });
    const all = [...packages, ...(hasIcu() ? [] : icuPackages())];
    console.log(`setup: installing ${all.join(', ')}`);
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...all], { stdio: 'inherit', env });
  } catch (error) {
    console.log(`setup: ${error.message}; the suites that need these are skipped`);
  }
}
