import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import { onWinehost, whyNoWinehostSuites } from '../support/on-winehost.ts';
import { eventually } from '../support/processes.ts';
import { suite } from '../support/suite.ts';

const xvfb = '/usr/bin/Xvfb';
const whyNoDesktop = whyNoWinehostSuites ?? (existsSync(xvfb) ? undefined : `no ${xvfb}: install xvfb`);
const size = { width: 1024, height: 768 };

/** What cannot be tried there, and why. */
const skippedThere = [
  ['sessions can be read, with their lock state', 'Windows does not tell whether session 1 is locked'],
];

/** As the product starts what must be seen: by a task with an interactive principal. */
const showNotepad = `$action = New-ScheduledTaskAction -Execute 'notepad.exe'
$principal = New-ScheduledTaskPrincipal -UserId $env:USERNAME -LogonType Interactive
$null = Register-ScheduledTask -TaskName 'Notepad' -Action $action -Principal $principal
Start-ScheduledTask -TaskName 'Notepad'
`;

/** Starts an X server on a display number that it finds itself. */
function startDisplay(): Promise<{ display: string; server: ChildProcess }> {
  const screen = `${size.width}x${size.height}x24`;
  const server = spawn(xvfb, ['-displayfd', '3', '-screen', '0', screen, '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', (exitCode) => reject(new Error(`Xvfb ended with ${exitCode}`)));
    server.stdio[3]?.on('data', (chunk: Buffer) => resolve({ display: `:${chunk.toString().trim()}`, server }));
  });
}

/** A PNG's size, and how many different bytes its picture has before and after its filters: one flat colour has few. */
function readPng(png: Buffer) {
  assert.equal(png.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n');
  const data: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  return {
    width: png.readUInt32BE(16),
    height: png.readUInt32BE(20),
    values: new Set(inflateSync(Buffer.concat(data))).size,
  };
}

suite('the desktop of the nearly-Windows host', whyNoDesktop, () => {
  let server: ChildProcess | undefined;
  let display = '';
  before(async () => {
    ({ server, display } = await startDisplay());
  });
  after(() => server?.kill());
  const { run, home } = onWinehost(() => ({ display, hasTasks: true }));

  it('is pictured with the program that is on it', async () => {
    const empty = await run(['windows', 'screenshot', '--out', join(home(), 'empty.png')]);
    assert.equal(empty.exitCode, 0, empty.stderr);
    const file = join(home(), 'notepad.ps1');
    writeFileSync(file, showNotepad);
    const shown = await run(['windows', 'script', file]);
    assert.equal(shown.exitCode, 0, shown.stderr);
    const bare = readPng(readFileSync(join(home(), 'empty.png')));
    let shot = bare;
    await eventually(
      'the window is on the picture',
      async () => {
        const { exitCode, stderr } = await run(['windows', 'screenshot', '--out', join(home(), 'shot.png')]);
        assert.equal(exitCode, 0, stderr);
        shot = readPng(readFileSync(join(home(), 'shot.png')));
        return shot.values > bare.values;
      },
      30_000,
    );
    assert.deepEqual({ width: shot.width, height: shot.height }, size);
  });

  it('passes every selftest, or says why one cannot be tried there', async () => {
    const { exitCode, stdout } = await run(['windows', 'selftest', '--json']);
    const results: { test: string; state: string; detail: string }[] = JSON.parse(stdout.toString()).tests;
    const others = results.filter(({ state }) => state !== 'ok');
    assert.deepEqual(
      others.map(({ test, state, detail }) => [test, state, detail]),
      skippedThere.map(([test, why]) => [test, 'skipped', why]),
    );
    assert.deepEqual([results.length, exitCode], [16, 0]);
  });
});
