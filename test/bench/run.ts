import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { startSshd } from '../support/sshd.ts';

/**
 * Times the executable against a peer, turn about in the same run, and prints ratios of medians: seconds depend on the
 * machine, ratios hardly. Ends non-zero where a ratio is over its limit.
 */
interface Race {
  readonly name: string;
  readonly limit: number;
  readonly rounds: number;
  readonly ours: readonly [string, ...string[]];
  readonly peer: readonly [string, ...string[]];
  readonly peerName: string;
}

const executable = resolve('dist/win-automation');
const scratch = mkdtempSync(join(tmpdir(), 'wa-bench-'));
const sshd = await startSshd();
const env = { PATH: process.env['PATH'], HOME: scratch, ...sshd.env };

function timeMs([program, ...args]: readonly [string, ...string[]]): number {
  const startedMs = performance.now();
  const { status, stderr } = spawnSync(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - startedMs;
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function race({ name, limit, rounds, ours, peer, peerName }: Race): boolean {
  const times = { ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round < rounds + 2; round += 1) {
    const [mine, theirs] = [timeMs(ours), timeMs(peer)];
    // The first two rounds only warm the caches.
    if (round < 2) continue;
    times.ours.push(mine);
    times.peer.push(theirs);
  }
  const [mine, theirs] = [median(times.ours), median(times.peer)];
  const ratio = mine / theirs;
  const isGood = ratio <= limit;
  console.log(
    `${isGood ? 'ok  ' : 'SLOW'} ${name}: ${mine.toFixed(1)} ms, ${peerName} ${theirs.toFixed(1)} ms, ` +
      `ratio ${ratio.toFixed(2)} (limit ${limit}), ${rounds} rounds`,
  );
  return isGood;
}

function emptyProgram(): string {
  const source = join(scratch, 'empty.ts');
  mkdirSync(scratch, { recursive: true });
  writeFileSync(source, '');
  const outfile = join(scratch, 'empty');
  spawnSync(process.execPath, ['build', '--compile', '--minify', '--bytecode', source, '--outfile', outfile]);
  return outfile;
}

const ssh = [
  'ssh',
  '-F/dev/null',
  '-oBatchMode=yes',
  '-oIdentitiesOnly=yes',
  `-oUserKnownHostsFile=${sshd.knownHostsFile}`,
  `-i${sshd.identityFile}`,
  `-p${sshd.port}`,
  `${sshd.user}@127.0.0.1`,
] as const;

const races: readonly Race[] = [
  {
    name: '--version',
    limit: 2,
    rounds: 40,
    ours: [executable, '--version'],
    peer: [emptyProgram()],
    peerName: 'an empty compiled program',
  },
  {
    name: 'one cold windows exec',
    limit: 1,
    rounds: 20,
    ours: [executable, 'windows', 'exec', '--', 'true'],
    peer: [...ssh, 'true'],
    peerName: "Debian's ssh",
  },
  {
    name: 'windows exec --raw, 256 MiB of output',
    limit: 1.5,
    rounds: 5,
    ours: [executable, 'windows', 'exec', '--raw', '--', 'head -c 268435456 /dev/zero'],
    peer: [...ssh, 'head -c 268435456 /dev/zero'],
    peerName: "Debian's ssh",
  },
];

let isGood = true;
try {
  for (const one of races) isGood = race(one) && isGood;
} finally {
  await sshd.stop();
  rmSync(scratch, { recursive: true, force: true });
}
process.exit(isGood ? 0 : 1);
