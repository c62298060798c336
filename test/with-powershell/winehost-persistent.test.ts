import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { milliseconds } from '../../src/core/duration.ts';
import { createLogger } from '../../src/core/logger.ts';
import { connect, type SshConnection } from '../../src/windows/connection.ts';
import { PersistentPowershell } from '../../src/windows/powershell/persistent.ts';
import { winehost } from '../support/engines.ts';
import { eventually } from '../support/processes.ts';
import { freePort } from '../support/sshd.ts';
import { suite } from '../support/suite.ts';

const timeout = 120_000;
const never = new AbortController().signal;
const logger = createLogger({ level: 'error', redact: (text) => text, write: () => undefined, component: 'test' });

suite('the PowerShell that stays, on a host that is nearly Windows', winehost.whyNot, () => {
  let host: Awaited<ReturnType<typeof startHost>>;
  let powershell: PersistentPowershell;
  const run = (script: string, signal = never) => powershell.run(script, '-', signal);
  before(
    async () => {
      host = await startHost();
      powershell = PersistentPowershell.start(host.connection);
      await powershell.ready;
    },
    { timeout },
  );
  after(
    async () => {
      powershell.close();
      await host.stop();
    },
    { timeout },
  );

  for (const [what, script, output] of [
    ['text of any kind', "'h\u00e4llo \u20ac'", 'hällo €'],
    ["a program's output", "cmd /c 'echo a'", 'a'],
    ['the text after a program that reads', "cmd /c 'set /p x='; 'end'", 'end'],
    [
      'the text after a program that writes to the console',
      "Start-Process cmd -ArgumentList '/c echo noise' -NoNewWindow -Wait; 'end'",
      'end',
    ],
    ['the text after [Console]::In and [Console]::Out', "[Console]::WriteLine([Console]::In.ReadLine()); 'end'", 'end'],
  ] as const) {
    it(`gives back ${what}, and answers the next`, { timeout }, async () => {
      assert.equal(await run(script), output);
      assert.equal(await run("'next'"), 'next');
    });
  }

  for (const [what, script] of [
    ['waited for', 'cmd /c ping -n 600 127.0.0.1'],
    ['started beside it', "Start-Process cmd -ArgumentList '/c ping -n 600 127.0.0.1' -NoNewWindow; Start-Sleep 600"],
    ['left behind by a program that has ended', "cmd /c 'start /b ping -n 600 127.0.0.1 & exit 0'; Start-Sleep 600"],
  ] as const) {
    it(`ends a cancelled script with a program below a program that was ${what}`, { timeout }, async () => {
      const stop = new AbortController();
      const cancelled = run(script, stop.signal).catch((error: unknown) => error);
      await eventually('the program runs', () => host.pings() === 1, 30_000);
      const startedMs = performance.now();
      stop.abort(new Error('stop'));
      assert.equal(String(await cancelled), 'Error: stop');
      assert.ok(performance.now() - startedMs < 2_000, `${performance.now() - startedMs} ms`);
      assert.equal(host.pings(), 0);
      assert.equal(await run("'next'"), 'next');
    });
  }

  it('leaves the programs of another script alone that runs at the same time', { timeout }, async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const runs = [first, second].map(({ signal }) =>
      run('cmd /c ping -n 600 127.0.0.1', signal).catch((error: unknown) => error),
    );
    await eventually('both programs run', () => host.pings() === 2, 30_000);
    first.abort(new Error('first'));
    assert.deepEqual([String(await runs[0]), host.pings()], ['Error: first', 1]);
    second.abort(new Error('second'));
    assert.deepEqual([String(await runs[1]), host.pings()], ['Error: second', 0]);
  });
});

interface Host {
  readonly connection: SshConnection;
  /** How many of its programs are `ping`. */
  pings(): number;
  stop(): Promise<void>;
}

async function startHost(): Promise<Host> {
  if (winehost.path === undefined) throw new Error(winehost.whyNot);
  const dir = mkdtempSync(join(tmpdir(), 'wa-persistent-'));
  const child = spawn(winehost.path, [join(dir, 'host'), '--port', String(await freePort())], { stdio: 'pipe' });
  const gone = new Promise((resolve) => child.once('close', resolve));
  const answer = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString('utf8')));
    child.once('close', () => reject(new Error('the host did not start')));
  });
  const { host, port, user, identity_file: identityFile, known_hosts_file: knownHostsFile } = JSON.parse(answer);
  const target = {
    name: 'winehost',
    host,
    port,
    user,
    identityFile,
    knownHostsFile,
    defaultIdentityFiles: [],
    agentSocket: undefined,
    passphrase: undefined,
    password: undefined,
    globalKnownHostsFiles: [],
    hostKeyPolicy: 'strict',
    connectTimeoutMs: milliseconds(20_000),
    attempts: 3,
  } as const;
  const connection = await connect(target, { logger, signal: never });
  return {
    connection,
    pings: () => programs(join(dir, 'host')).filter((line) => /^(\S*[\\/])?ping(\.exe)? -n 600 /i.test(line)).length,
    stop: async () => {
      await connection.close();
      child.kill('SIGTERM');
      await gone;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The command lines of the processes that belong to a host. */
function programs(dir: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`WINEPREFIX=${dir}/`)) return [];
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        // It ended in between.
        return [];
      }
    });
}
