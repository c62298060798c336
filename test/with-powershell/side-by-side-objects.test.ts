import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { pwsh } from '../support/engines.ts';
import { whyNoExecutable } from '../support/executable.ts';
import { SideBySide } from '../support/side-by-side.ts';
import { values } from '../support/side-by-side-values.ts';
import { whyNoSshd } from '../support/sshd.ts';
import { suite } from '../support/suite.ts';

const skip = whyNoExecutable ?? whyNoSshd ?? pwsh.whyNot ?? false;

type Line = Readonly<Record<string, unknown>>;

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
    const { lines } = await objects("sh -c 'echo out; echo err >&2; echo out2; exit 4'");
    // PowerShell reads the two streams apart: only within each is there an order.
    const { output, error, end } = Object.groupBy(lines, ({ stream }) => String(stream));
    assert.deepEqual(
      [output?.map(({ value }) => value), error?.map(({ message }) => message), end?.[0]?.['exit_code']],
      [['out', 'out2'], ['err'], 4],
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
