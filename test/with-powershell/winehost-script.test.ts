import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import type { RunOptions } from '../support/executable.ts';
import { onWinehost, whyNoWinehostSuites } from '../support/on-winehost.ts';
import { suite } from '../support/suite.ts';
import type { WinehostShell } from '../support/winehost.ts';

/** Says what it was given, with its type. */
const parameters = `param(
    [string]$Text, [int]$Number, [bool]$Flag, [switch]$Force, [string[]]$List = @(), [hashtable]$Table = @{}, [datetime]$Day
)
"Text=<$Text>"
"Number=$($Number + 1)"
"Flag=$Flag Force=$Force"
"List=$($List.Count):$($List -join '|')"
"Table=$($Table.a):$($Table.b.GetType().Name)"
"Day=$($Day.ToString('yyyy-MM-dd', [Globalization.CultureInfo]::InvariantCulture))"
`;

const hereString = '$x = 1\r\n@\'\r\n  a "b" $x ℃ 😀\r\n\'@\r\n@"\r\n$x-$(1 + 1)\r\n"@\r\n';

/** 200 KB of it, with its answer in the last line. */
const long = `$sum = 0\n${'$sum += 1 # räuberhöhle\n'.repeat(8_000)}"sum $sum"\n`;

suite('windows script on the nearly-Windows host', whyNoWinehostSuites, () => {
  const { run, payload, home } = onWinehost(() => ({ shell: 'cmd' }));
  let count = 0;
  const write = (text: string | Buffer) => {
    count += 1;
    const file = join(home(), `script-${count}.ps1`);
    writeFileSync(file, text);
    return file;
  };
  const script = (text: string | Buffer, args: readonly string[] = [], options: RunOptions = {}) =>
    payload('script', [...args, write(text)], options);

  it('gives each parameter what the script declares for it', async () => {
    const args = [
      'Text=it\'s "q" $x ü %OS%;',
      'Number=41',
      'Flag=false',
      'Force',
      'List=a b',
      'List=c',
      'Table={"a":"ä","b":[1]}',
      'Day=2026-03-04',
    ];
    const { stdout, stderr } = await script(
      parameters,
      args.flatMap((one) => ['--param', one]),
    );
    assert.deepEqual(
      [stdout.text.split('\r\n'), stderr.text],
      [
        [
          'Text=<it\'s "q" $x ü %OS%;>',
          'Number=42',
          'Flag=False Force=True',
          'List=2:a b|c',
          'Table=ä:Object[]',
          'Day=2026-03-04',
          '',
        ],
        '',
      ],
    );
  });

  it('gives --param Force=false as false', async () => {
    const { stdout } = await script('param([switch]$Force) "$Force"', ['--param', 'Force=false']);
    assert.equal(stdout.text, 'False\r\n');
  });

  for (const [what, argument] of [
    ['a name that is not declared', 'Nunber=1'],
    ['a value of another type', 'Number=many'],
  ] as const) {
    it(`refuses ${what} with 2, and runs nothing`, async () => {
      const args = ['windows', 'script', '--param', argument, write("param([int]$Number) 'ran'")];
      const { exitCode, stdout, stderr } = await run(args);
      assert.deepEqual([exitCode, stdout.toString()], [2, '']);
      assert.match(stderr, /Number/);
    });
  }

  it('keeps here-strings with CRLF, and unicode', async () => {
    assert.equal((await script(hereString)).stdout.text, '  a "b" $x ℃ 😀\r\n1-2\r\n');
  });

  for (const [what, bytes] of [
    ['UTF-8 with a byte order mark', Buffer.from("\uFEFF'größe ℃'", 'utf8')],
    ['UTF-16', Buffer.from("\uFEFF'größe ℃'", 'utf16le')],
  ] as const) {
    it(`reads a script in ${what}`, async () => {
      assert.equal((await script(bytes)).stdout.text, 'größe ℃\r\n');
    });
  }

  it('runs a script of 200 KB', async () => {
    assert.ok(Buffer.byteLength(long) > 200_000);
    const { stdout, stderr, exit_code } = await script(long);
    assert.deepEqual([stdout.text, stderr.text, exit_code], ['sum 8000\r\n', '', 0]);
  });

  it('has a real $PSScriptRoot, with what --with brought beside the script, and removes both', async () => {
    const dir = join(home(), 'größe data');
    mkdirSync(join(dir, 'sub'), { recursive: true });
    writeFileSync(join(dir, 'sub', 'ü.txt'), 'inside');
    writeFileSync(join(dir, 'lib.psm1'), "function Get-Answer { 'from the module' }\n");
    const text = [
      "Import-Module (Join-Path $PSScriptRoot 'größe data\\lib.psm1')",
      'Get-Answer',
      "[IO.File]::ReadAllText((Join-Path $PSScriptRoot 'größe data\\sub\\ü.txt'))",
      '$PSScriptRoot',
    ].join('\n');
    const { stdout, stderr } = await script(text, ['--with', dir]);
    const [answer, inside, root = ''] = stdout.text.split('\r\n');
    assert.deepEqual([answer, inside, stderr.text], ['from the module', 'inside', '']);
    const left = await payload('exec', ['--', `if exist "${root}" (echo left) else (echo removed)`]);
    assert.equal(left.stdout.text.trim(), 'removed');
  });

  it('starts in the folder of --cwd, with the variables of --env as they are', async () => {
    const text = '(Get-Location).Path; [Environment]::CurrentDirectory; $env:WA_A';
    const { stdout } = await script(text, ['--cwd', 'C:\\windows', '--env', "WA_A=x & 'y' %OS% ü"]);
    assert.equal(stdout.text, "C:\\windows\r\nC:\\windows\r\nx & 'y' %OS% ü\r\n");
  });

  it('has standard input as $input under --stdin', async () => {
    const { stdout } = await script('$input | ForEach-Object { "<$_>" }', ['--stdin'], { input: 'größe\nb\n' });
    assert.equal(stdout.text, '<größe>\r\n<b>\r\n');
  });

  for (const [what, text, exitCode, stdout] of [
    ['exit', "'a'; exit 5", 5, 'a\r\n'],
    ['the last program', "'a'; cmd /c exit 3", 3, 'a\r\n'],
    ['a program that failed before another that did not', "cmd /c exit 3; 'a'", 0, 'a\r\n'],
    ['an error', "'a'; throw 'boom'; 'b'", 1, 'a\r\n'],
  ] as const) {
    it(`ends with the code of ${what}`, async () => {
      const ended = await script(text);
      assert.deepEqual([ended.exit_code, ended.stdout.text], [exitCode, stdout]);
    });
  }

  it("words an error as PowerShell does, at the user's own line, without colour", async () => {
    const { stderr } = await script("'one'\n\nGet-Item -LiteralPath 'C:\\no-such-file'\n'after'\n");
    assert.match(stderr.text, /Cannot find path 'C:\\no-such-file' because it does not exist\./);
    assert.match(stderr.text, /script-\d+\.ps1:3\b/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colour begins with one.
    assert.doesNotMatch(stderr.text, /\u001b/);
  });

  it('goes on after an error under --error-action continue', async () => {
    const text = "Write-Error 'bad'; 'after'";
    const { stdout, stderr } = await script(text, ['--error-action', 'continue']);
    assert.deepEqual([stdout.text, /bad/.test(stderr.text)], ['after\r\n', true]);
  });

  it("writes warnings and tables on standard output, a program's errors on standard error: as PowerShell does", async () => {
    const { stdout, stderr } = await script(
      "Write-Warning 'careful'; cmd /c 'echo err>&2'; [pscustomobject]@{ a = 1 }",
    );
    assert.deepEqual([stdout.text, stderr.text], ['WARNING: careful\r\n\r\na\r\n-\r\n1\r\n\r\n', 'err\r\n']);
  });

  it('gives objects as lines of JSON under --objects', async () => {
    const text = "[pscustomobject]@{ n = 'ü'; at = @(1) }; Write-Warning 'careful'; [int]5; cmd /c exit 3";
    const { stdout, exitCode } = await run(['windows', 'script', '--objects', write(text)]);
    const records = stdout
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    // Wine's console server may hold the streams a moment longer than the shell: whether it does is not what this asks.
    const { stream, state, exit_code } = records.pop();
    assert.deepEqual(
      [records.map((one) => [one.stream, one.value ?? one.message]), { stream, state, exit_code }, exitCode],
      [
        [
          ['output', { n: 'ü', at: [1] }],
          ['warning', 'careful'],
          ['output', 5],
        ],
        { stream: 'end', state: 'failed', exit_code: 3 },
        1,
      ],
    );
  });

  it('is skipped where the last value of the check is not $false and the check ends with 0', async () => {
    const text = "'ran'";
    const held = await script(text, ['--idempotent', '--idempotent-check', "Test-Path 'C:\\windows'"]);
    const not = await script(text, ['--idempotent', '--idempotent-check', "Test-Path 'C:\\no-such-folder'"]);
    assert.deepEqual([held.state, not.state, not.stdout.text], ['skipped', 'completed', 'ran\r\n']);
  });
});

for (const shell of ['powershell', 'pwsh'] satisfies WinehostShell[]) {
  suite(`windows script where DefaultShell is ${shell}`, whyNoWinehostSuites, () => {
    const { payload, home } = onWinehost(() => ({ shell }));
    for (const [what, text, stdout] of [
      ['a short one', "param([string[]]$List) $List -join '|'; exit 5", 'it\'s "q" $x|%OS% ü\r\n'],
      [
        'one of 200 KB',
        `param([string[]]$List)\n${long}\n$List -join '|'; exit 5`,
        'sum 8000\r\nit\'s "q" $x|%OS% ü\r\n',
      ],
    ] as const) {
      it(`runs ${what} as where it is cmd`, async () => {
        const file = join(home(), `${shell}-${text.length}.ps1`);
        writeFileSync(file, text);
        const ended = await payload('script', ['--param', 'List=it\'s "q" $x', '--param', 'List=%OS% ü', file]);
        assert.deepEqual([ended.stdout.text, ended.stderr.text, ended.exit_code], [stdout, '', 5]);
      });
    }
  });
}
