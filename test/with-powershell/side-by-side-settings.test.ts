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

  const refused = (text: string, ...params: readonly string[]) => {
    const flags = params.flatMap((param) => ['--param', param]);
    return side.ours(['windows', 'script', ...flags, side.write({ title: 'refused', kind: 'script', text })]);
  };
  for (const [what, declared, params, reason] of [
    [
      'a name that is not declared',
      '[int]$Number',
      ['Nunber=1'],
      /declares no such parameter; it declares Number \[Int32\]/,
    ],
    ['a number that is none', '[int]$Number', ['Number=many'], /parameter Number \[Int32\]/],
    ['an empty number', '[int]$Number', ['Number='], /the value is empty/],
    ['a name alone for what is no switch', '[string]$Name', ['Name'], /it takes a value/],
    ['two values for one text', '[string]$Name', ['Name=a', 'Name=b'], /it takes one value, and was given 2/],
    ['a switch that is neither', '[switch]$Force', ['Force=perhaps'], /neither true nor false/],
    ['a hashtable that is no JSON', '[hashtable]$Tags', ['Tags={a:1}'], /no JSON object, such as/],
  ] as const) {
    it(`refuses ${what} with exit 2, and runs nothing`, async () => {
      const { exitCode, stdout, stderr } = await refused(`param(${declared}) 'ran'`, ...params);
      assert.deepEqual([exitCode, stdout.toString()], [2, '']);
      assert.match(stderr, reason);
    });
  }

  it('says where an error of an advanced script is, which PowerShell words without its place', async () => {
    const text = "[CmdletBinding()]\nparam()\n'begin'\n$a = $null\n$a.Foo()\n";
    const file = side.write({ title: 'advanced', kind: 'script', text });
    const { stderr } = await side.ours(['windows', 'script', '--raw', file]);
    assert.match(stderr, /You cannot call a method on a null-valued expression\.\n.*\.ps1: line 5\n/);
  });

  it('says why a check does not hold that has a typing error', async () => {
    const flags = ['--idempotent', '--idempotent-check', 'Tset-Path /'];
    const { logs, words } = await side.ours(['windows', 'exec', ...flags, '--', 'echo ran']);
    assert.equal(words['state'], 'completed');
    const warning = logs.find(({ level }) => level === 'warn');
    assert.match(warning?.['err'] ?? '', /Tset-Path/);
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
