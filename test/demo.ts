import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import process from 'node:process';
import { startSshd, whyNoSshd } from './support/sshd.ts';

/**
 * Builds the executable and shows it at work on a throwaway OpenSSH server on loopback. Ends non-zero if a step does not
 * end as it should, and leaves nothing running.
 */
const executable = resolve('dist/win-automation');
const isBuilt = spawnSync(process.execPath, ['build.ts'], { stdio: 'inherit' }).status === 0;
if (!isBuilt) process.exit(1);
if (whyNoSshd !== undefined) {
  console.error(`the demo needs an SSH server: ${whyNoSshd}`);
  process.exit(1);
}

const sshd = await startSshd();
const env = { PATH: process.env['PATH'], HOME: sshd.dir, ...sshd.env };
let failures = 0;

function step(args: string, expected: number): void {
  console.log(`\n$ win-automation ${args}`);
  const { status } = spawnSync('sh', ['-c', `"$0" ${args}`, executable], { stdio: 'inherit', env });
  if (status === expected) return;
  failures += 1;
  console.log(`FAILED: exit code ${status}, not ${expected}`);
}

try {
  step('version', 0);
  step('config check', 0);
  step("windows exec -- 'uname -s; id -un'", 0);
  step("windows exec --json -- 'echo out; echo err >&2; exit 7'", 1);
  step("windows exec --raw --propagate-exit -- 'echo hi; exit 7'", 7);
  step("windows exec --timeout 1s -- 'sleep 60'", 4);
  step('windos exec', 2);
} finally {
  await sshd.stop();
}
console.log(failures === 0 ? '\nThe demo worked.' : `\n${failures} steps failed.`);
process.exit(failures === 0 ? 0 : 1);
