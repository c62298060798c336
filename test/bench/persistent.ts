import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { milliseconds } from '../../src/core/duration.ts';
import { LineSplitter } from '../../src/core/lines.ts';
import type { Logger } from '../../src/core/logger.ts';
import { connect } from '../../src/windows/connection.ts';
import { PersistentPowershell } from '../../src/windows/powershell/persistent.ts';
import { pwsh } from '../support/engines.ts';
import { memoryOf, openPersistent } from '../support/persistent.ts';
import { installCmdShim } from '../support/shims.ts';
import { startSshd, type TestSshd } from '../support/sshd.ts';
import { median } from './median.ts';

const never = new AbortController().signal;
const script = "'a'";
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Times PowerShell that stays, and PowerShell that is started, against PowerShell's own remoting, and prints what it found.
 *
 * @param executable the built program
 * @param dir a folder for its files
 * @returns whether all is within its limits
 */
export async function racePersistent(executable: string, dir: string, logger: Logger): Promise<boolean> {
  const found = await benchPersistent(executable, dir, logger);
  if (found === undefined) {
    console.log("skip scripts against PowerShell's own remoting: no pwsh");
    return true;
  }
  const { request, burst, fresh, memory } = found;
  const line = (name: string, { oursMs, peerMs }: typeof request, peer: string, limit: number | undefined) => {
    const ratio = oursMs / peerMs;
    const isFast = limit === undefined || ratio < limit;
    console.log(
      `${isFast ? 'ok  ' : 'SLOW'} ${name}: ${oursMs.toFixed(1)} ms, ${peer} ${peerMs.toFixed(1)} ms, ` +
        `ratio ${ratio.toFixed(2)}${limit === undefined ? '' : ` (limit ${limit})`}`,
    );
    return isFast;
  };
  const isFlat = memory[1] <= memory[0] * 1.15;
  const results = [
    line('a request to the PowerShell that stays', request, 'a PSSession', 0.5),
    line('the same without a pause', burst, 'a PSSession', undefined),
    // A bare PowerShell by ssh takes 0.7 of the peer already: what is started anew can't be faster than its own start.
    line('windows script', fresh, 'Invoke-Command -HostName', 1.4),
    isFlat,
  ];
  console.log(
    `${isFlat ? 'ok  ' : 'SLOW'} memory of the PowerShell that stays: ${(memory[0] / 1e6).toFixed(0)} MB after 2,000 requests, ` +
      `${(memory[1] / 1e6).toFixed(0)} MB after 4,992 (at most 1.15 times)`,
  );
  return results.every((isGood) => isGood);
}

interface PersistentBench {
  /** Medians in milliseconds of one request each, ours and that of PowerShell's own PSSession, turn about. */
  readonly request: { readonly oursMs: number; readonly peerMs: number };
  /** The same without a pause in between. */
  readonly burst: { readonly oursMs: number; readonly peerMs: number };
  /** `windows script` against `Invoke-Command -HostName`. */
  readonly fresh: { readonly oursMs: number; readonly peerMs: number };
  /** Bytes after 2,000 requests and after 5,000. */
  readonly memory: readonly [number, number];
}

/** Over one sshd. @returns undefined where there is no PowerShell */
async function benchPersistent(executable: string, dir: string, logger: Logger): Promise<PersistentBench | undefined> {
  if (pwsh.path === undefined) return undefined;
  mkdirSync(dir, { recursive: true });
  // Not in `dir`: the user who logs in has to reach it.
  const bin = mkdtempSync(join(tmpdir(), 'wa-bench-bin-'));
  const sshd = await startPowershellSshd(pwsh.path, bin);
  try {
    const peer = startPeer(pwsh.path, sshd);
    const connection = await connect(targetOf(sshd), { logger, signal: never });
    const powershell = PersistentPowershell.start(connection);
    try {
      await powershell.ready;
      const ours = async () => {
        const startedMs = performance.now();
        await powershell.run(script, '-', never);
        return performance.now() - startedMs;
      };
      // Both engines compile what they run often.
      await race(30, 0, ours, () => peer.time('request'));
      const request = await race(100, 50, ours, () => peer.time('request'));
      const burst = {
        oursMs: median(await repeat(100, ours)),
        peerMs: median(await repeat(100, () => peer.time('request'))),
      };
      const fresh = await race(
        9,
        0,
        () => timeProgram(executable, dir, sshd),
        () => peer.time('fresh'),
      );
      return { request, burst, fresh, memory: await memoryOverRequests() };
    } finally {
      powershell.close();
      await connection.close();
      await peer.stop();
    }
  } finally {
    await sshd.stop();
    rmSync(bin, { recursive: true });
  }
}

type Timed = () => Promise<number>;

async function race(rounds: number, pauseMs: number, ours: Timed, peer: Timed) {
  const times = { ours: [] as number[], peer: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    await sleep(pauseMs);
    times.ours.push(await ours());
    await sleep(pauseMs);
    times.peer.push(await peer());
  }
  return { oursMs: median(times.ours), peerMs: median(times.peer) };
}

async function repeat(rounds: number, timed: Timed): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) times.push(await timed());
  return times;
}

async function memoryOverRequests(): Promise<[number, number]> {
  await using session = await openPersistent();
  const run = async (count: number) => {
    for (let index = 0; index < count; index += 8)
      await Promise.all(Array.from({ length: 8 }, () => session.run('1..20')));
    return memoryOf(session.pid);
  };
  // One that is replaced after 5,000 would end with the last.
  return [await run(2_000), await run(2_992)];
}

/** A server whose sessions find a `powershell`, and that knows PowerShell's own remoting. */
async function startPowershellSshd(path: string, bin: string): Promise<TestSshd> {
  installCmdShim(bin);
  for (const name of ['powershell', 'pwsh']) {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${path} "$@"\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return startSshd({
    config: [`Subsystem powershell ${bin}/pwsh -sshs -NoLogo`, `SetEnv PATH=${bin}:/usr/local/bin:/usr/bin:/bin`],
  });
}

function targetOf(sshd: TestSshd) {
  return {
    name: 'bench',
    host: '127.0.0.1',
    port: sshd.port,
    user: sshd.user,
    identityFile: sshd.identityFile,
    knownHostsFile: sshd.knownHostsFile,
    defaultIdentityFiles: [],
    agentSocket: undefined,
    passphrase: undefined,
    password: undefined,
    globalKnownHostsFiles: [],
    hostKeyPolicy: 'strict',
    connectTimeoutMs: milliseconds(20_000),
    attempts: 1,
  } as const;
}

/** A PowerShell that times what it is told, one line a time. */
function startPeer(path: string, sshd: TestSshd) {
  const child = spawn(path, ['-NoProfile', '-NonInteractive', '-Command', peerText(sshd)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const gone = new Promise((resolve) => child.once('close', resolve));
  const splitter = new LineSplitter();
  const lines: string[] = [];
  let onLine: () => void = () => undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    lines.push(...splitter.push(chunk));
    onLine();
  });
  const next = async (): Promise<string> => {
    while (lines.length === 0) {
      if (child.exitCode !== null) throw new Error(`PowerShell's own remoting ended with ${child.exitCode}`);
      await Promise.race([
        gone,
        new Promise<void>((resolve) => {
          onLine = resolve;
        }),
      ]);
    }
    return lines.shift() ?? '';
  };
  return {
    time: async (what: 'request' | 'fresh'): Promise<number> => {
      child.stdin.write(`${what}\n`);
      const ms = Number(await next());
      if (!(ms > 0)) throw new Error(`PowerShell's own remoting gave no time for a ${what}`);
      return ms;
    },
    stop: async () => {
      child.stdin.end();
      await gone;
    },
  };
}

function peerText(sshd: TestSshd): string {
  return `
$ErrorActionPreference = 'Stop'
$to = @{
  HostName = '127.0.0.1'; Port = ${sshd.port}; UserName = '${sshd.user}'; KeyFilePath = '${sshd.identityFile}'
  Options = @{ UserKnownHostsFile = '${sshd.knownHostsFile}'; IdentitiesOnly = 'yes' }
}
$session = New-PSSession @to
while ($null -ne ($line = [Console]::In.ReadLine())) {
  $with = if ($line -eq 'fresh') { $to } else { @{ Session = $session } }
  $watch = [Diagnostics.Stopwatch]::StartNew()
  $out = Invoke-Command @with -ScriptBlock { 'a' }
  $ms = $watch.Elapsed.TotalMilliseconds
  if ($out -ne 'a') { throw "it said $out" }
  [Console]::Out.WriteLine($ms.ToString([Globalization.CultureInfo]::InvariantCulture))
}
Remove-PSSession $session
`;
}

function timeProgram(executable: string, dir: string, sshd: TestSshd): Promise<number> {
  const file = join(dir, 'fresh.ps1');
  writeFileSync(file, script);
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const child = spawn(executable, ['windows', 'script', file], {
      env: { PATH: process.env['PATH'], HOME: dir, ...sshd.env },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(performance.now() - startedMs);
      else reject(new Error(`windows script ended with ${code}`));
    });
  });
}
