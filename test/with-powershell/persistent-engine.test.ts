import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { AutomationError } from '../../src/core/errors.ts';
import { PersistentPowershell } from '../../src/windows/powershell/persistent.ts';
import { pwsh, runPwsh } from '../support/engines.ts';
import { memoryOf, openPersistent, type TestPersistent } from '../support/persistent.ts';
import { suite } from '../support/suite.ts';

const timeout = 60_000;

suite('the PowerShell that stays, under the engine', pwsh.whyNot, () => {
  let session: TestPersistent;
  const run = (script: string, argument = '-') => session.run(script, argument);
  before(
    async () => {
      session = await openPersistent();
    },
    { timeout },
  );
  after(() => session.close(), { timeout });

  for (const [what, script, output] of [
    ['text of any kind', "'h\u00e4llo \u20ac \ud83d\ude00'", 'hällo € 😀'],
    ['nothing', '$null = 1', ''],
    ['an empty first line', "''; 'a'", '\na'],
    ['several lines', "1; 'b'", '1\nb'],
    ['what a program prints', "& sh -c 'echo a; echo b'", 'a\nb'],
    ['what was printed before an exit', "'a'; exit 3", 'a'],
  ] as const) {
    it(`gives back ${what}`, { timeout }, async () => assert.equal(await run(script), output));
  }

  it('gives a script its argument', { timeout }, async () => {
    assert.equal(await run('$args[0]', 'aMOkbGxv'), 'aMOkbGxv');
  });

  it('gives each script variables, functions and a location of its own', { timeout }, async () => {
    await run(
      "$global:leak = 1; function global:Get-Leak { 'leak' }; Set-Alias leak Get-Date -Scope Global; Set-Location /",
    );
    const script =
      '"[$leak]"; @(Get-Command Get-Leak, leak -ErrorAction SilentlyContinue).Count; (Get-Location).Path -eq \'/\'';
    assert.equal(await run(script), '[]\n0\nFalse');
  });

  for (const [what, script] of [
    ['a program', "& cat; 'end'"],
    ['a program without a pipeline', "Start-Process cat -NoNewWindow -Wait; 'end'"],
    ['[Console]::In.ReadLine', "[Console]::In.ReadLine(); 'end'"],
    [
      '[Console]::In after its encoding was set',
      "[Console]::InputEncoding = [Text.Encoding]::ASCII; [Console]::In.ReadLine(); 'end'",
    ],
    ['[Console]::OpenStandardInput', "[Console]::OpenStandardInput().ReadByte(); 'end'"],
  ] as const) {
    it(`has no standard input for ${what}, and answers the next`, { timeout }, async () => {
      assert.match(await run(script), /end$/);
      assert.equal(await run("'next'"), 'next');
    });
  }

  for (const [what, script] of [
    ['[Console]::WriteLine', "[Console]::WriteLine('noise')"],
    ['[Console]::Error', "[Console]::Error.WriteLine('noise')"],
    [
      '[Console]::Out after its encoding was set',
      "[Console]::OutputEncoding = [Text.Encoding]::ASCII; [Console]::Out.WriteLine('noise')",
    ],
    [
      'the standard output stream',
      '$o = [Console]::OpenStandardOutput(); $o.Write([byte[]](110, 111, 10), 0, 3); $o.Flush()',
    ],
    ['Write-Host', "Write-Host 'noise'"],
    ['Clear-Host', 'try { Clear-Host } catch { $Error.Clear() }; try { [Console]::Clear() } catch { $Error.Clear() }'],
    ['warnings and progress', "Write-Warning 'noise'; Write-Progress 'noise'"],
    [
      'a program without a pipeline',
      'Start-Process sh -ArgumentList \'-c "echo noise; echo noise >&2"\' -NoNewWindow -Wait',
    ],
  ] as const) {
    it(`keeps ${what} out of its answers`, { timeout }, async () => {
      assert.equal(await run(`${script}; 'end'`), 'end');
    });
  }

  for (const [what, change, read, expected] of [
    [
      'the current directory',
      "[Environment]::CurrentDirectory = '/'",
      "[Environment]::CurrentDirectory -eq '/'",
      'False',
    ],
    ['a new environment variable', '$env:WA_NEW = 1', '"[$env:WA_NEW]"', '[]'],
    ['a changed environment variable', "$env:PATH += ':/nowhere'", "$env:PATH -like '*/nowhere'", 'False'],
    ['a removed environment variable', 'Remove-Item Env:PATH', '[bool]$env:PATH', 'True'],
    [
      "the console's encodings",
      '[Console]::OutputEncoding = [Console]::InputEncoding = [Text.Encoding]::GetEncoding(28591)',
      '[Console]::OutputEncoding.CodePage; [Console]::InputEncoding.CodePage',
      '65001\n65001',
    ],
    [
      'the culture',
      "[cultureinfo]::DefaultThreadCurrentCulture = 'de-DE'; [cultureinfo]::CurrentCulture = 'de-DE'",
      '[cultureinfo]::CurrentCulture.Name -eq "de-DE"',
      'False',
    ],
  ] as const) {
    it(`puts back ${what}`, { timeout }, async () => {
      await run(change);
      assert.equal(await run(read), expected);
    });
  }

  const failing = [
    "throw 'thrown'",
    "throw [InvalidOperationException]::new('outer', [Exception]::new('inner'))",
    "Write-Error 'written'",
    'Get-Item -LiteralPath /no/such/file',
    'No-SuchCommand',
    '[int]::Parse("x")',
    '1 / $null',
    '$null.Method()',
    'Get-Date -NoSuchParameter 1',
    "[Net.Dns]::GetHostAddresses('')[0].ToString().Substring(100)",
    "Write-Error -Exception ([Exception]::new('a', [Exception]::new('b')))",
    '& { param([Parameter(Mandatory)][int]$A) $A } -A x',
    "[xml]'<a>'",
    'function Deep { throw "deep" }; Deep',
  ];
  it('words errors as a run of its own does', { timeout }, async () => {
    const list = failing.map((script) => `'${script.replaceAll("'", "''")}'`).join(', ');
    const fresh = runPwsh([
      '-Command',
      `$ErrorActionPreference = 'Stop'; foreach ($text in ${list}) {
        try { $null = & ([ScriptBlock]::Create($text)); 'no error' } catch { $_.Exception.GetBaseException().Message -replace '\\s+', ' ' }
      }`,
    ]).stdout.trimEnd();
    const words: string[] = [];
    for (const script of failing) {
      const error = await run(script).catch((reason: unknown) => reason);
      assert.ok(error instanceof AutomationError, script);
      words.push(error.message.replace('the script failed: ', '').replace(/\s+/g, ' '));
    }
    assert.equal(words.join('\n'), fresh);
  });

  it('runs twenty scripts that wait at the same time', { timeout }, async () => {
    const startedMs = performance.now();
    await Promise.all(Array.from({ length: 20 }, () => run('Start-Sleep -Seconds 1')));
    // Ten at a time would take two seconds and more, and on a busy machine this may take three.
    assert.ok(performance.now() - startedMs < 5_000, `${performance.now() - startedMs} ms`);
  });

  it('answers more scripts at once than it runs at a time, each with its own output', { timeout }, async () => {
    const numbers = Array.from({ length: 80 }, (_, index) => Buffer.from(`nr. ${index}`).toString('base64'));
    const outputs = await Promise.all(numbers.map((number) => run('Start-Sleep -Milliseconds 100; $args[0]', number)));
    assert.deepEqual(outputs, numbers);
  });

  it('gives back 50 MB in one string, with pairs of surrogates wherever it is cut', { timeout }, async () => {
    const output = await run("'x' + ('\ud83d\ude00' * 12500000)");
    assert.equal(output.length, 25_000_001);
    assert.equal(output.isWellFormed() && !output.includes('\ufffd'), true);
  });

  for (const script of [
    '[Management.Automation.Runspaces.Runspace]::DefaultRunspace.CloseAsync()',
    '$rs = [Management.Automation.Runspaces.Runspace]::DefaultRunspace; [Threading.Tasks.Task]::Run([Action]{ }) | Out-Null; $rs.CloseAsync(); Start-Sleep 5',
    'function f { f }; f',
  ]) {
    it(`answers the next after ${script.slice(0, 60)}`, { timeout }, async () => {
      await run(script).catch((error: unknown) => assert.ok(error instanceof AutomationError));
      assert.equal(await run("'next'"), 'next');
    });
  }

  it('has the memory of a hundred scripts after five hundred', { timeout }, async () => {
    const some = async (count: number) => {
      for (let index = 0; index < count; index += 4) {
        await Promise.all(Array.from({ length: 4 }, () => run('1..100 | ForEach-Object { "$_" }')));
      }
      return memoryOf(session.pid);
    };
    const [early, late] = [await some(100), await some(400)];
    assert.ok(late - early < 64 * 1024 * 1024, `${early} bytes, then ${late}`);
  });

  it('is still the same one after all of that', { timeout }, () => assert.equal(session.powershell.isUsable, true));
});

suite('a PowerShell that stays and ends', pwsh.whyNot, () => {
  it('fails the script that ends it', { timeout }, async () => {
    await using session = await openPersistent();
    await assert.rejects(session.run('[Environment]::Exit(3)'), { code: 'ssh_connection_lost' });
    assert.equal(session.powershell.isUsable, false);
  });

  it('never runs a script that was cancelled while it started', { timeout }, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'wa-persistent-'));
    const file = join(dir, 'ran');
    await using session = await openPersistent({ isAwaited: false });
    const stop = new AbortController();
    const cancelled = session.run(`New-Item -Path '${file}'`, '-', stop.signal);
    stop.abort(new Error('stop'));
    await assert.rejects(cancelled, /stop/);
    await session.run('Start-Sleep -Milliseconds 200');
    assert.equal(existsSync(file), false);
    rmSync(dir, { recursive: true });
  });

  it('says why where there is no PowerShell', { timeout }, async () => {
    const opener = { openCommand: () => Promise.reject(new AutomationError('ssh_channel_refused', 'no channel')) };
    await assert.rejects(PersistentPowershell.start(opener).ready, { code: 'ssh_channel_refused' });
  });

  for (let time = 1; time <= 6; time += 1) {
    it(`ends cleanly where its input ends in the middle of scripts, time ${time}`, { timeout }, async () => {
      await using session = await openPersistent();
      const scripts = ['Start-Sleep 30', "& sh -c 'sleep 30 & sleep 30'", '1..9999999', 'while ($true) { }'];
      const runs = scripts.map((script) => session.run(script).catch(() => undefined));
      await new Promise((resolve) => setTimeout(resolve, 150 * time));
      session.endInput();
      assert.deepEqual(await session.exited, { exitCode: 0, signal: null });
      await Promise.all(runs);
      assert.deepEqual(session.leftBehind(), []);
    });
  }
});
