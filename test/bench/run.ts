import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { loadConfig } from '../../src/config/load.ts';
import { createLogger } from '../../src/core/logger.ts';
import { WindowsHost } from '../../src/windows/host.ts';
import { sshTarget } from '../../src/windows/target.ts';
import { startTestLab } from '../support/lab.ts';
import { startSshd } from '../support/sshd.ts';
import { benchFleet } from './fleet.ts';
import { benchHatchet } from './hatchet.ts';
import { benchJobs } from './jobs.ts';
import { median } from './median.ts';
import { benchPasses } from './passes.ts';
import { racePersistent } from './persistent.ts';

/**
 * Times the executable against a peer, turn about in the same run, and prints ratios of medians: seconds depend on the
 * machine, ratios hardly. Ends non-zero where a ratio is over its limit.
 */
type Argv = readonly [string, ...string[]];
type Timed = Argv | (() => Promise<void>);

interface Race {
  readonly name: string;
  readonly limit: number;
  readonly rounds: number;
  readonly ours: Timed;
  readonly peer: Timed;
  readonly peerName: string;
  /** Files that must not be there when a round begins: to take an old one away takes a file system longer than to write. */
  readonly fresh?: readonly string[];
}

const executable = resolve('dist/win-automation');
const scratch = mkdtempSync(join(tmpdir(), 'wa-bench-'));
const sshd = await startSshd();
const lab = await startTestLab(400);
const quickLab = await startTestLab();
const playwrightEnv = Object.fromEntries(Object.entries(lab.env).filter(([name]) => name.includes('PLAYWRIGHT')));
const env = { PATH: process.env['PATH'], HOME: scratch, ...sshd.env };

/** Not spawnSync: the lab lives in this process, and has to answer. */
function runProgram(program: string, args: readonly string[]): Promise<{ status: number | null; stderr: string }> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, {
      env: { ...env, ...playwrightEnv },
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: scratch,
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk;
    });
    child.once('error', fail);
    child.once('close', (status) => done({ status, stderr }));
  });
}

async function timeMs(timed: Timed, fresh: readonly string[] = []): Promise<number> {
  for (const file of fresh) rmSync(file, { force: true });
  // What the one before left for the disk to write later must not be paid for by the next.
  spawnSync('sync');
  const startedMs = performance.now();
  if (typeof timed === 'function') {
    await timed();
    return performance.now() - startedMs;
  }
  const [program, ...args] = timed;
  const { status, stderr } = await runProgram(program, args);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - startedMs;
}

const warmUpRounds = 2;

async function race({ name, limit, rounds, ours, peer, peerName, fresh }: Race): Promise<boolean> {
  const times = { ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round < rounds + warmUpRounds; round += 1) {
    const [mine, theirs] = [await timeMs(ours, fresh), await timeMs(peer, fresh)];
    // The first two rounds only warm the caches.
    if (round < warmUpRounds) continue;
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

const bigFile = join(scratch, 'big');
writeFileSync(bigFile, randomBytes(512 * 1024 * 1024));
const bigRemoteFile = join(sshd.dir, 'big');
copyFileSync(bigFile, bigRemoteFile);
const scpOptions = [...ssh.slice(1, 6), `-P${sshd.port}`, '-q'];
const remoteDir = join(sshd.dir, 'files');
mkdirSync(remoteDir);
chmodSync(remoteDir, 0o777);
const remote = (file: string) => `${sshd.user}@127.0.0.1:${file}`;

const titlePage = 'data:text/html,<title>hello</title><h1>hello</h1>';
const nodeScript = join(scratch, 'peer.mjs');
writeFileSync(
  nodeScript,
  `import { chromium } from ${JSON.stringify(resolve('node_modules/playwright-core/index.mjs'))};
const { WIN_AUTOMATION_PLAYWRIGHT_PORT: port, WIN_AUTOMATION_PLAYWRIGHT_WS_PATH: path } = process.env;
const browser = await chromium.connect('ws://127.0.0.1:' + port + '/' + path);
const page = await browser.newPage();
await page.goto(${JSON.stringify(titlePage)});
await page.screenshot({ path: ${JSON.stringify(join(scratch, 'peer.png'))} });
await browser.close();
`,
);

const loaded = await loadConfig({ env: { ...lab.env, HOME: scratch } });
const logger = createLogger({ level: 'error', redact: (text) => text, write: () => undefined, component: 'bench' });

/** Runs 50 scripts one after another on a lab where powershell.exe takes 400 ms to start. */
const fiftyScripts = (isWarm: boolean) => async () => {
  await using host = new WindowsHost(sshTarget(loaded), { logger, isWarm });
  for (let i = 0; i < 50; i += 1) await host.script('echo', { text: `${i}` }, { signal: AbortSignal.timeout(60_000) });
};

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
  {
    name: 'windows put of 512 MiB',
    limit: 1,
    rounds: 9,
    ours: [executable, 'windows', 'put', bigFile, join(remoteDir, 'put')],
    peer: ['scp', ...scpOptions, bigFile, remote(join(remoteDir, 'put'))],
    peerName: "Debian's scp",
    fresh: [join(remoteDir, 'put')],
  },
  {
    name: 'windows get of 512 MiB',
    limit: 1,
    rounds: 9,
    ours: [executable, 'windows', 'get', bigRemoteFile, join(scratch, 'back')],
    peer: ['scp', ...scpOptions, remote(bigRemoteFile), join(scratch, 'back')],
    peerName: "Debian's scp",
    fresh: [join(scratch, 'back')],
  },
  {
    name: 'playwright: connect, page, screenshot',
    limit: 1.5,
    rounds: 10,
    ours: [executable, 'playwright', 'run', '--url', titlePage, '--screenshot'],
    peer: ['node', nodeScript],
    peerName: 'playwright-core under Node',
  },
  {
    name: '50 scripts where PowerShell takes 400 ms to start',
    limit: 0.1,
    rounds: 1,
    ours: fiftyScripts(true),
    peer: fiftyScripts(false),
    peerName: 'a PowerShell a script',
  },
];

/** No peer: the local engine's own promises. */
async function raceJobs(): Promise<boolean> {
  const count = 20_000;
  const { jobsPerSecond, rssBytes, startDelayMs } = await benchJobs(join(scratch, 'jobs'), count);
  const growth = rssBytes[1] / rssBytes[0];
  const isFast = jobsPerSecond >= 500 && startDelayMs < 100;
  console.log(
    `${isFast ? 'ok  ' : 'SLOW'} ${count} no-op jobs: ${Math.round(jobsPerSecond)} a second (at least 500), ` +
      `${startDelayMs} ms from enqueue to start (limit 100), memory x${growth.toFixed(2)} from the first tenth to the end`,
  );
  return isFast;
}

/** Many hosts against one, and the memory that it takes. */
async function raceFleet(): Promise<boolean> {
  const count = 200;
  const { oneMs, allMs, peakRssBytes } = await benchFleet(executable, join(scratch, 'fleet'), count);
  const ratio = allMs / oneMs;
  const isGood = ratio <= 10 && peakRssBytes <= 200e6;
  console.log(
    `${isGood ? 'ok  ' : 'SLOW'} supervisor pass over ${count} hosts, 32 at a time: ${allMs.toFixed(0)} ms, one host ${oneMs.toFixed(0)} ms, ` +
      `ratio ${ratio.toFixed(1)} (limit 10), ${(peakRssBytes / 1e6).toFixed(0)} MB (limit 200)`,
  );
  return isGood;
}

/** A pass against the slowest of its checks, and what many passes leave open. */
async function racePasses(): Promise<boolean> {
  const { ratio, passes, openFiles } = await benchPasses(quickLab.env, scratch, 1_000);
  const [early, late] = openFiles;
  const isTight = ratio <= 1.3 && late <= early;
  console.log(
    `${isTight ? 'ok  ' : 'SLOW'} ${passes} supervisor passes: x${ratio.toFixed(2)} of the slowest check (limit 1.3), ` +
      `${early} open files after 100 passes, ${late} at the end`,
  );
  return isTight;
}

/** Our worker against the SDK's own, on the same server. */
async function raceHatchet(): Promise<boolean> {
  const found = await benchHatchet(join(scratch, 'hatchet'), 500);
  if (found === undefined) {
    console.log('skip no-op jobs on Hatchet: node test/setup-hatchet.mjs');
    return true;
  }
  const { ours, bare, ratio } = found;
  const isFast = ratio >= 0.9;
  console.log(
    `${isFast ? 'ok  ' : 'SLOW'} no-op jobs on Hatchet: ${ours.toFixed(0)} a second, a bare worker of the SDK ` +
      `${bare.toFixed(0)}, ratio ${ratio.toFixed(2)} (at least 0.9)`,
  );
  return isFast;
}

const wanted = process.argv.slice(2);
let isGood = true;
try {
  for (const one of races.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word))))
    isGood = (await race(one)) && isGood;
  if (wanted.length === 0 || wanted.includes('persistent'))
    isGood = (await racePersistent(executable, join(scratch, 'persistent'), logger)) && isGood;
  if (wanted.length === 0 || wanted.includes('fleet')) isGood = (await raceFleet()) && isGood;
  if (wanted.length === 0 || wanted.includes('passes')) isGood = (await racePasses()) && isGood;
  if (wanted.length === 0 || wanted.includes('jobs')) isGood = (await raceJobs()) && isGood;
  if (wanted.length === 0 || wanted.includes('hatchet')) isGood = (await raceHatchet()) && isGood;
} finally {
  await lab.close();
  await quickLab.close();
  await sshd.stop();
  rmSync(scratch, { recursive: true, force: true });
}
process.exit(isGood ? 0 : 1);
