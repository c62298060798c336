import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { pwsh } from '../support/engines.ts';
import { whyNoExecutable } from '../support/executable.ts';
import { SideBySide } from '../support/side-by-side.ts';
import { whyNoSshd } from '../support/sshd.ts';
import { suite } from '../support/suite.ts';

const skip = whyNoExecutable ?? whyNoSshd ?? pwsh.whyNot ?? false;

type Line = Readonly<Record<string, unknown>>;

/** What a value of PowerShell's is in a record: its type and its value, at two levels. */
const values: readonly (readonly [title: string, expression: string, type: string | null, value: unknown])[] = [
  ['an int', '1', 'System.Int32', 1],
  ['a long that JavaScript has no number for', '[long]::MaxValue', 'System.Int64', '9223372036854775807'],
  ['a double', '1.5', 'System.Double', 1.5],
  ['a double under de-DE', "[cultureinfo]::CurrentCulture = 'de-DE'; 2.5", 'System.Double', 2.5],
  ['NaN', '[double]::NaN', 'System.Double', 'NaN'],
  ['infinity', '[double]::PositiveInfinity', 'System.Double', 'Infinity'],
  ['a decimal', '[decimal]::Parse("0.10", [cultureinfo]::InvariantCulture)', 'System.Decimal', 0.1],
  ['true', '$true', 'System.Boolean', true],
  ['null', '$null', null, null],
  ['a text', "'x'", 'System.String', 'x'],
  ['an empty text', "''", 'System.String', ''],
  ['a text of every kind of character', '"a`"\\`n`t`0\u{1f600}\u05e9"', 'System.String', 'a"\\\n\t\0\u{1f600}\u05e9'],
  ['half a pair of surrogates', '"x$([char]0xd800)y"', 'System.String', 'x\ud800y'],
  ['a text that looks like a date', "'2026-01-02T03:04:05Z'", 'System.String', '2026-01-02T03:04:05Z'],
  ['a char', "[char]'c'", 'System.Char', 'c'],
  ['an enum', '[DayOfWeek]::Friday', 'System.DayOfWeek', 'Friday'],
  ['a date without a zone', "[datetime]'2026-01-02T03:04:05'", 'System.DateTime', '2026-01-02T03:04:05.0000000'],
  [
    'a date of UTC under th-TH',
    "[cultureinfo]::CurrentCulture = 'th-TH'; [datetime]::SpecifyKind('2026-01-02', 'Utc')",
    'System.DateTime',
    '2026-01-02T00:00:00.0000000Z',
  ],
  ['a time span', "[timespan]'1.02:03:04'", 'System.TimeSpan', '1.02:03:04'],
  ['a guid', '[guid]::Empty', 'System.Guid', '00000000-0000-0000-0000-000000000000'],
  ['a version', "[version]'1.2.3'", 'System.Version', '1.2.3'],
  ['a type', '[int]', 'System.RuntimeType', 'int'],
  ['a document of XML', "[xml]'<a>b</a>'", 'System.Xml.XmlDocument', '<a>b</a>'],
  ['an empty list', ', @()', 'System.Object[]', []],
  ['a list of one', ', @(5)', 'System.Object[]', [5]],
  ['lists in lists', ', @(1, @(2, @(3, 4)))', 'System.Object[]', [1, [2, '3 4']]],
  ['a hashtable', '@{ a = 1 }', 'System.Collections.Hashtable', { a: 1 }],
  [
    'an ordered one',
    '[ordered]@{ b = 1; a = @{} }',
    'System.Collections.Specialized.OrderedDictionary',
    { b: 1, a: {} },
  ],
  [
    'one that holds itself',
    '$s = @{}; $s.self = $s; $s',
    'System.Collections.Hashtable',
    { self: { self: 'System.Collections.Hashtable' } },
  ],
  [
    'an object',
    '[pscustomobject]@{ a = 1; b = $null; c = @("x") }',
    'System.Management.Automation.PSCustomObject',
    { a: 1, b: null, c: ['x'] },
  ],
  ['an object without properties', '[pscustomobject]@{}', 'System.Management.Automation.PSCustomObject', {}],
  [
    'a property that throws',
    "[pscustomobject]@{ a = 1 } | Add-Member -MemberType ScriptProperty -Name bad -Value { throw 'no' } -PassThru",
    'System.Management.Automation.PSCustomObject',
    { a: 1, bad: null },
  ],
  [
    'a row of data',
    "$t = New-Object Data.DataTable; [void]$t.Columns.Add('q', [int]); [void]$t.Rows.Add(4); [void]$t.Rows.Add([DBNull]::Value); $t.Rows[0]",
    'System.Data.DataRow',
    { q: 4 },
  ],
  ['a table of data', ', $t', 'System.Data.DataTable', [{ q: 4 }, { q: null }]],
  [
    'an object of a class',
    'class Car { [string]$Name = "x"; hidden [int]$Secret = 1 }; [Car]::new()',
    'Car',
    { Name: 'x' },
  ],
];

suite('objects of a PowerShell pipeline', skip, () => {
  let side: SideBySide;
  before(async () => {
    side = await SideBySide.start();
  });
  after(() => side.stop());

  const linesOf = (stdout: Buffer): Line[] =>
    stdout
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  const objects = async (text: string, ...flags: string[]) => {
    const { stdout, exitCode, stderr } = await side.ours([
      'windows',
      'exec',
      '--shell',
      'powershell',
      '--objects',
      ...flags,
      '--',
      text,
    ]);
    assert.equal(stderr, '');
    return { lines: linesOf(stdout), exitCode };
  };

  let all: Promise<Line[]> | undefined;
  values.forEach(([title, , type, value], index) => {
    it(`has ${title} with its type`, async () => {
      all ??= objects(values.map(([, expression]) => expression).join('\n')).then(({ lines }) => lines);
      assert.deepEqual((await all)[index], { stream: 'output', type, value });
    });
  });

  it('ends with a line of how it ended', async () => {
    const { lines, exitCode } = await objects("'a'; exit 3");
    const { duration_ms, ...end } = lines.at(-1) ?? {};
    assert.equal(typeof duration_ms, 'number');
    assert.deepEqual([exitCode, end], [1, { stream: 'end', state: 'failed', exit_code: 3 }]);
  });

  const nested = '[pscustomobject]@{ a = @{ b = @{ c = @{ d = @{ e = 1 } } } } }';
  for (const [depth, value] of [
    ['1', { a: 'System.Collections.Hashtable' }],
    ['3', { a: { b: { c: 'System.Collections.Hashtable' } } }],
    ['10', { a: { b: { c: { d: { e: 1 } } } } }],
  ] as const) {
    it(`goes ${depth} levels deep where it is told to`, async () => {
      assert.deepEqual((await objects(nested, '--depth', depth)).lines[0]?.['value'], value);
    });
  }

  it('has every stream in the order in which it was written', async () => {
    const text = [
      "'one'; Write-Warning 'w'; Write-Error 'e'; 'two'; Write-Information 'i'; Write-Host 'h'",
      "$VerbosePreference = 'Continue'; $DebugPreference = 'Continue'; Write-Verbose 'v'; Write-Debug 'd'",
      "Get-Item -LiteralPath /nowhere; 1 / 0; 'three'",
    ].join('\n');
    const { lines } = await objects(text, '--error-action', 'continue');
    assert.deepEqual(
      lines.slice(0, -1).map(({ stream, value, message }) => [stream, value ?? message]),
      [
        ['output', 'one'],
        ['warning', 'w'],
        ['error', 'e'],
        ['output', 'two'],
        ['information', 'i'],
        ['information', 'h'],
        ['verbose', 'v'],
        ['debug', 'd'],
        ['error', "Cannot find path '/nowhere' because it does not exist."],
        ['error', 'Attempted to divide by zero.'],
        ['output', 'three'],
      ],
    );
  });

  it('has the error that ended the run, with its line', async () => {
    const { lines, exitCode } = await objects("'a'\nthrow 'gone'\n'b'");
    assert.deepEqual(lines.slice(0, 2), [
      { stream: 'output', type: 'System.String', value: 'a' },
      { stream: 'error', type: 'System.Management.Automation.RuntimeException', message: 'gone', id: 'gone', line: 2 },
    ]);
    assert.equal(exitCode, 1);
  });

  it("has a program's lines, and its errors as records", async () => {
    const { lines } = await objects("sh -c 'echo out; sleep 0.2; echo err >&2; sleep 0.2; echo out2; exit 4'");
    assert.deepEqual(
      lines.map(({ stream, value, message, exit_code }) => [stream, value ?? message ?? exit_code]),
      [
        ['output', 'out'],
        ['error', 'err'],
        ['output', 'out2'],
        ['end', 4],
      ],
    );
  });

  it('has the text of what a Format cmdlet laid out, a record a line', async () => {
    const { lines } = await objects('[pscustomobject]@{ a = 1 } | Format-Table; [pscustomobject]@{ b = 2 }');
    const shown = lines.slice(0, -1).map(({ value }) => value);
    assert.deepEqual(
      shown.filter((value) => value !== ''),
      ['a', '-', '1', { b: 2 }],
    );
  });

  it('has text that was written past the pipeline', async () => {
    const { lines } = await objects("[Console]::Out.WriteLine('direct'); 'x' | Out-Host; 'last'");
    assert.deepEqual(
      lines.slice(0, -1).map(({ value }) => value),
      ['direct', 'x', 'last'],
    );
  });

  it('has files and processes', async () => {
    const { lines } = await objects('Get-Item -LiteralPath /etc/passwd; Get-Process -Id $PID');
    const [file, process] = lines.map(({ value }) => value as Line);
    assert.equal(file?.['FullName'], '/etc/passwd');
    assert.match(String(file?.['LastWriteTimeUtc']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert.equal(typeof process?.['Id'], 'number');
  });

  it('gives each record as it comes', async () => {
    const startedMs = performance.now();
    let firstMs = Number.POSITIVE_INFINITY;
    const { stdout, durationMs } = await side.ours(
      ['windows', 'exec', '--shell', 'powershell', '--objects', '--', "'first'; Start-Sleep -Seconds 3; 'last'"],
      undefined,
      (child) => child.stdout?.once('data', () => (firstMs = performance.now() - startedMs)),
    );
    assert.equal(linesOf(stdout).length, 3);
    assert.ok(durationMs - firstMs > 2_500, `the first came ${Math.round(durationMs - firstMs)} ms before the end`);
  });

  it('puts them into the payload with --json', async () => {
    const { stdout } = await side.ours([
      'windows',
      'exec',
      '--json',
      '--shell',
      'powershell',
      '--objects',
      '--',
      "[pscustomobject]@{ a = 1 }; Write-Warning 'w'",
    ]);
    const payload = JSON.parse(stdout.toString()) as Line;
    assert.deepEqual(payload['objects'], [
      { stream: 'output', type: 'System.Management.Automation.PSCustomObject', value: { a: 1 } },
      { stream: 'warning', type: 'System.Management.Automation.WarningRecord', message: 'w' },
    ]);
    assert.equal(payload['truncated'], false);
  });

  it('gives objects of a script with parameters', async () => {
    const file = side.write({
      title: '',
      kind: 'script',
      text: 'param([int[]]$N)\n$N | ForEach-Object { @{ n = $_ } }\n',
    });
    const { stdout } = await side.ours(['windows', 'script', '--objects', '--param', 'N=1', '--param', 'N=2', file]);
    assert.deepEqual(
      linesOf(stdout)
        .slice(0, -1)
        .map(({ value }) => value),
      [{ n: 1 }, { n: 2 }],
    );
  });

  it('gives 20,000 small objects whole', async () => {
    const { lines } = await objects(
      '1..20000 | ForEach-Object { [pscustomobject]@{ Id = $_; Name = "n $_"; Ok = $true } }',
    );
    assert.equal(lines.length, 20_001);
    assert.deepEqual(lines[19_999]?.['value'], { Id: 20_000, Name: 'n 20000', Ok: true });
  });

  it('gives a text of 50 MB whole', async () => {
    const { lines } = await objects("'x\"' * 25MB");
    assert.equal(lines[0]?.['value'], 'x"'.repeat(25 * 1024 * 1024));
  });
});

suite('what a run for a user is told', skip, () => {
  let side: SideBySide;
  before(async () => {
    side = await SideBySide.start();
  });
  after(() => side.stop());

  const checks: readonly (readonly [check: string, holds: boolean])[] = [
    ['$true', true],
    ['$false', false],
    ['Test-Path -LiteralPath /etc', true],
    ['Test-Path -LiteralPath /nowhere', false],
    ["'False'", true],
    ['0', true],
    ['$false; $true', true],
    ['$true; $false', false],
    ['exit 0', true],
    ['exit 3', false],
    ["sh -c 'exit 4'", false],
    ["sh -c 'exit 4'; $true", true],
    ["throw 'x'", false],
    ['Get-Item -LiteralPath /nowhere', false],
    ['if (-not (Test-Path -LiteralPath /nowhere)) { exit 1 }', false],
    ['[pscustomobject]@{ a = $false }', true],
    ['if ($true {', false],
  ];
  for (const [check, holds] of checks) {
    it(`${holds ? 'skips' : 'does'} the work where the check is ${check}`, async () => {
      const { words } = await side.ours([
        'windows',
        'exec',
        '--idempotent',
        '--idempotent-check',
        check,
        '--',
        'echo did',
      ]);
      assert.equal(words['state'], holds ? 'skipped' : 'completed');
    });
  }

  it('starts in the folder that it is told', async () => {
    const { stdout } = await side.ours([
      'windows',
      'exec',
      '--raw',
      '--shell',
      'powershell',
      '--cwd',
      '/usr/lib',
      '--',
      '(Get-Location).Path; [Environment]::CurrentDirectory; sh -c pwd',
    ]);
    assert.equal(stdout.toString(), '/usr/lib\n/usr/lib\n/usr/lib\n');
  });

  it('refuses a folder that is not there, and runs nothing', async () => {
    const { exitCode, stdout, stderr } = await side.ours([
      'windows',
      'exec',
      '--shell',
      'powershell',
      '--cwd',
      '/no where',
      '--',
      "'ran'",
    ]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /there is no folder \/no where on the host/);
    assert.doesNotMatch(stdout.toString(), /ran/);
  });

  const variables: Readonly<Record<string, string>> = {
    WA_PLAIN: 'x',
    WA_EMPTY: '',
    WA_QUOTES: `it's "quoted" \`b $x`,
    WA_PERCENT: '%PATH% ^ & | < >',
    WA_LINES: 'one\ntwo\r\n',
    WA_UNICODE: 'ü 漢字 \u{1f600}',
    WA_EQUALS: '=a=b=',
  };
  const show = Object.keys(variables).map((name) => `[Environment]::GetEnvironmentVariable('${name}')`);
  it('gives every value of an environment variable as it is', async () => {
    const flags = Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const { stdout } = await side.ours([
      'windows',
      'exec',
      '--json',
      '--shell',
      'powershell',
      '--objects',
      ...flags,
      '--',
      show.join('; '),
    ]);
    const { objects } = JSON.parse(stdout.toString()) as { objects: Line[] };
    // An empty one is none, before PowerShell 7.5.
    assert.deepEqual(
      objects.map(({ value }) => value ?? ''),
      Object.values(variables),
    );
  });

  it('gives the variables to programs too', async () => {
    const { stdout } = await side.ours([
      'windows',
      'exec',
      '--raw',
      '--shell',
      'powershell',
      '--env',
      'WA_X=a "b" c',
      '--',
      "sh -c 'echo $WA_X'",
    ]);
    assert.equal(stdout.toString(), 'a "b" c\n');
  });

  it('gives the variables of a file, and shows none of them on a command line', async () => {
    const file = side.write({
      title: '',
      kind: 'script',
      text: "$env:WA_SECRET; (Get-Content -Raw -LiteralPath /proc/$PID/cmdline).Contains('hush')\n",
    });
    const envFile = join(file, '..', 'secrets.env');
    writeFileSync(envFile, 'WA_SECRET="hush hush"\n');
    const { stdout } = await side.ours(['windows', 'script', '--raw', '--env-file', envFile, file]);
    assert.equal(stdout.toString(), 'hush hush\nFalse\n');
  });
});
