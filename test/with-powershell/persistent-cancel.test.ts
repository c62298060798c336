import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { pwsh } from '../support/engines.ts';
import { openPersistent, processesOf, type TestPersistent } from '../support/persistent.ts';
import { eventually } from '../support/processes.ts';
import { suite } from '../support/suite.ts';

const timeout = 60_000;
/** A second is promised; a busy machine may take longer, and must not hang. */
const answeredWithinMs = 5_000;

/** Each test has programs of its own, that are told apart by how long they sleep. */
let lastSleep = 40_000 + (process.pid % 1_000) * 20;
const nextSleep = () => {
  lastSleep += 1;
  return `sleep ${lastSleep}`;
};

interface Cancelled {
  readonly error: unknown;
  readonly tookMs: number;
}

/** Cancels a script once something holds. */
async function cancel(session: TestPersistent, script: string, once: () => boolean): Promise<Cancelled> {
  const stop = new AbortController();
  const run = session.run(script, '-', stop.signal).then(
    () => assert.fail('it was not cancelled'),
    (error: unknown) => error,
  );
  await eventually('the script is under way', once, 20_000);
  const startedMs = performance.now();
  stop.abort(new Error('stop'));
  const error = await run;
  return { error, tookMs: performance.now() - startedMs };
}

const isRunning = (...commands: readonly string[]) => commands.every((command) => processesOf(command).length > 0);
const isGone = (...commands: readonly string[]) => commands.every((command) => processesOf(command).length === 0);

suite('a script that is cancelled in the PowerShell that stays', pwsh.whyNot, () => {
  let session: TestPersistent;
  beforeEach(
    async () => {
      session = await openPersistent();
    },
    { timeout },
  );
  afterEach(() => session.close(), { timeout });

  for (const [what, script] of [
    ['a program with another below it', (a: string, b: string) => `& sh -c '${a} & ${b}'`],
    [
      'a program that ends with another left behind',
      (a: string, b: string) => `& sh -c '${a} & ${b} & exit 0' | Out-Null`,
    ],
    ['programs in a pipeline', (a: string, b: string) => `& sh -c '${a}; :' | & sh -c '${b}; :'`],
    [
      'programs that are not waited for',
      (a: string, b: string) =>
        `Start-Process sh -ArgumentList '-c "${a}; :"' -NoNewWindow; Start-Process sh -ArgumentList '-c "${b}; :"' -NoNewWindow; Start-Sleep 60`,
    ],
    [
      'programs in a function in a job',
      (a: string, b: string) => `function f { & sh -c '${a} & ${b}' }; f | ForEach-Object { $_ }`,
    ],
  ] as const) {
    it(`is over with ${what}, and nothing is left running`, { timeout }, async () => {
      const sleeps = [nextSleep(), nextSleep()] as const;
      const { error, tookMs } = await cancel(session, script(...sleeps), () => isRunning(...sleeps));
      assert.equal(error instanceof Error && error.message, 'stop');
      assert.ok(tookMs < answeredWithinMs, `${tookMs} ms`);
      assert.ok(isGone(...sleeps));
      assert.equal(await session.run("'next'"), 'next');
      assert.equal(session.powershell.isUsable, true);
    });
  }

  it('does not go on with its next line', { timeout }, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'wa-persistent-'));
    const [sleep, file] = [nextSleep(), join(dir, 'ran')];
    await cancel(session, `& ${sleep}; New-Item -Path '${file}'`, () => isRunning(sleep));
    await session.run('Start-Sleep -Milliseconds 300');
    assert.equal(existsSync(file), false);
    rmSync(dir, { recursive: true });
  });

  it('leaves the programs of another script alone that runs at the same time', { timeout }, async () => {
    const [mine, others, below] = [nextSleep(), nextSleep(), nextSleep()];
    const stop = new AbortController();
    const other = session
      .run(`& sh -c '${below} & ${others}'; 'end'`, '-', stop.signal)
      .catch((error: unknown) => error);
    await eventually('the other script is under way', () => isRunning(others, below), 20_000);
    const { error } = await cancel(session, `& sh -c '${mine} & ${mine}'`, () => processesOf(mine).length === 2);
    assert.deepEqual([isGone(mine), isRunning(others, below)], [true, true]);
    assert.equal(error instanceof Error && error.message, 'stop');
    stop.abort(new Error('stop the other'));
    await other;
  });

  it('leaves alone what an earlier script left running', { timeout }, async () => {
    const [left, mine] = [nextSleep(), nextSleep()];
    await session.run(`Start-Process sleep -ArgumentList ${left.slice(6)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await cancel(session, `& ${mine}`, () => isRunning(mine));
    assert.deepEqual([isRunning(left), isGone(mine)], [true, true]);
    for (const pid of processesOf(left)) process.kill(pid);
  });
});

suite('a script that can not be ended', pwsh.whyNot, () => {
  for (const [what, script] of [
    ['sleeps in .NET', '[Threading.Thread]::Sleep(60000)'],
    ['loops while it ends', 'try { Start-Sleep 60 } finally { while ($true) { } }'],
  ] as const) {
    it(`is given up where it ${what}: it says so, and ends with its PowerShell`, {
      timeout,
    }, async () => {
      await using session = await openPersistent();
      const { error, tookMs } = await cancel(session, `$null = New-Item ${session.marker}; ${script}`, () =>
        existsSync(session.marker),
      );
      assert.match(String(error), /stop; something of the script may be left running: the script goes on/);
      assert.ok(tookMs < answeredWithinMs, `${tookMs} ms`);
      assert.equal(session.powershell.isUsable, false);
      assert.deepEqual(await session.exited, { exitCode: 0, signal: null });
    });
  }

  it('keeps its PowerShell until the other scripts are done', { timeout }, async () => {
    await using session = await openPersistent();
    const other = session.run("Start-Sleep 3; 'other'");
    await cancel(session, `$null = New-Item ${session.marker}; [Threading.Thread]::Sleep(60000)`, () =>
      existsSync(session.marker),
    );
    assert.equal(await other, 'other');
    assert.deepEqual(await session.exited, { exitCode: 0, signal: null });
  });

  it('says so where programs may be its own or those of another script', { timeout }, async () => {
    await using session = await openPersistent();
    const [mine, others] = [nextSleep(), nextSleep()];
    const start = (sleep: string) => `Start-Process sleep -ArgumentList ${sleep.slice(6)}; Start-Sleep 4; 'end'`;
    const other = session.run(start(others));
    const { error } = await cancel(session, start(mine), () => isRunning(mine, others));
    assert.match(String(error), /may be left running: programs were started meanwhile/);
    assert.equal(await other, 'end');
    assert.ok(isRunning(others));
    for (const pid of [...processesOf(mine), ...processesOf(others)]) process.kill(pid);
  });
});
