// Makes a fresh Debian machine ready, with nothing but Node and npm: packages from npm, and Debian's OpenSSH, Chromium,
// Wine and Nix where this runs as root. What can't be had is said; the suites that need it are skipped by name.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

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
];
const missing = wanted.filter(({ path }) => !existsSync(path)).map((tool) => tool.package);
if (missing.length > 0) installDebianPackages(missing);

function installDebianPackages(packages) {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    console.log(`setup: not root on Debian, so these are not installed: ${packages.join(', ')}`);
    return;
  }
  console.log(`setup: installing ${packages.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env });
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
      stdio: 'inherit',
      env,
    });
  } catch (error) {
    console.log(`setup: ${error.message}; the suites that need these are skipped`);
  }
}
