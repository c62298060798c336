import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startPowershell, warmCommandLine } from '../../src/windows/powershell/command-line.ts';
import { callableScript, composeCmdRun, composeRun, composeScript } from '../../src/windows/powershell/compose.ts';
import { scripts } from '../../src/windows/powershell/scripts.ts';
import { pwsh } from '../support/engines.ts';
import { type LintText, lintFaults } from '../support/powershell-lint.ts';
import { suite } from '../support/suite.ts';

const folder = fileURLToPath(new URL('../../src/windows/powershell/scripts', import.meta.url));

/** Scripts that say in their first lines that they take standard input. */
const saysItReads = (text: string) => /^#.*(?:\n#.*)*standard input/.test(text);

/** Scripts inside scripts: what a task is to run. */
const innerScripts = (text: string) =>
  [...text.matchAll(/@'\n([\s\S]*?)\n'@/g)].map(([, inner = '']) => inner).filter((inner) => !/^using /.test(inner));

/** What a file calls that another file puts beside it. */
const shared = ['found', 'firewall-rules', 'environment', 'parameters', 'objects', 'run', 'host-processes']
  .map((name) => readFileSync(join(folder, `${name}.ps1`), 'utf8'))
  .join('\n');

function textsOfOurs(): LintText[] {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.ps1'))
    .flatMap((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      const inner = innerScripts(text).map((one, index) => ({ name: `${file} inside ${index}`, text: one }));
      return [{ name: file, text, reads_input: saysItReads(text) }, ...inner];
    });
  const composed = Object.entries(scripts).map(([name, text]) => {
    return { name: `${name} composed`, text: composeScript(text, { a: 'b' }), reads_input: saysItReads(text) };
  });
  return [
    ...files,
    ...composed,
    { name: 'echo as the PowerShell that stays calls it', text: callableScript(scripts.echo) },
    ...composedRuns(),
    { name: 'a cmd command', text: composeCmdRun('dir', { refusal: 'r' }) },
    {
      name: 'the loader',
      text: textOf(startPowershell('1', 'run-1', 'powershell', 'cmd').commandLine),
      reads_input: true,
    },
    {
      name: 'the PowerShell that stays',
      text: textOf(warmCommandLine),
      reads_input: true,
    },
  ];
}

const textOf = (commandLine: string) =>
  Buffer.from(/ -EncodedCommand (\S+)/.exec(commandLine)?.[1] ?? '', 'base64').toString('utf16le');

/** What runs a user's text, in each of its forms. */
function composedRuns() {
  return (['command', 'script', 'check'] as const).flatMap((kind) =>
    [undefined, 2].map((objectDepth) => ({
      name: `a ${kind}${objectDepth === undefined ? '' : ' of objects'}`,
      text: composeRun({ kind, text: '$input', refusal: 'r', objectDepth, hasInput: true }),
      reads_input: true,
    })),
  );
}

/** A fault, and the rule that must find it. */
const faulty: readonly [rule: string, text: string][] = [
  ['parse', 'if ($x { 1 }'],
  ['cmdlet', 'Get-Procces'],
  ['cmdlet', 'gci'],
  ['cmdlet', 'get-item -Path x'],
  ['cmdlet', 'Get-Error'],
  ['parameter', 'Get-NetFirewallRule -DisplayNames x'],
  ['parameter', 'Get-ChildItem -LiteralPath x -Rec'],
  ['parameter', 'ConvertFrom-Json -AsHashtable -InputObject x'],
  ['parameter', "'x' | ConvertFrom-Json -Depth 3"],
  ['parameter', '1 | ForEach-Object -Parallel { 1 }'],
  ['parameter', '$a = @{ DisplayName = "x"; Protokol = "TCP" }\nNew-NetFirewallRule @a'],
  ['parameter', '$a = @{ DisplayName = "x" }\n$a.Portt = 1\nNew-NetFirewallRule @a'],
  ['parameter', 'function Get-Own { param($One) $One }\nGet-Own -Two 1'],
  ['value', 'New-NetFirewallRule -DisplayName x -Action Permit'],
  ['value', '$a = @{ DisplayName = "x"; Direction = "In" }\nNew-NetFirewallRule @a'],
  ['value', 'Get-NetTCPConnection -State Listen, Listening'],
  ['value', 'Get-Item -LiteralPath x -ErrorAction Silent'],
  ['sets', 'Get-NetFirewallRule -DisplayName a -Name b'],
  ['sets', 'Get-NetFirewallRule -DisplayName a -Direction Inbound'],
  ['sets', 'New-NetFirewallRule -Action Allow'],
  ['sets', 'Stop-Process -Id 1 -Name x'],
  ['sets', 'Split-Path -LiteralPath x -Parent'],
  ['sets', 'Join-Path -Path a'],
  ['syntax', '$a ? 1 : 2'],
  ['syntax', '$a ?? 1'],
  ['syntax', '$a ??= 1'],
  ['syntax', '(Get-Date)?.Year'],
  ['syntax', '(Get-Item -Path x)?[0]'],
  ['syntax', 'Get-Date && Get-Date'],
  ['syntax', 'Get-Date &'],
  ['syntax', 'function Get-Own { process { 1 } clean { 2 } }'],
  ['syntax', '[array]::Empty[int]()'],
  ['syntax', '$IsWindows'],
  ['syntax', '"`e[1m"'],
  ['syntax', '"`u{41}"'],
  ['syntax', '1uy'],
  ['syntax', '0b101'],
  ['syntax', '$a -or $b -and $c'],
  ['culture', "$date.ToString('yyyy-MM-dd')"],
  ['culture', '$number.ToString()'],
  ['culture', "'{0:N2}' -f 1.5"],
  ['culture', "[string]::Format('{0}', 1.5)"],
  ['culture', 'Get-Date -Format s'],
  ['culture', 'Get-Date -UFormat %s'],
  ['culture', '[datetime]::Parse($a)'],
  ['culture', '[double]::TryParse($a, [ref]$b)'],
  ['culture', '$a.ToLower()'],
  ['culture', '$date.ToShortDateString()'],
  ['culture', "$a.StartsWith('x1')"],
  ['culture', "$a -match 'id'"],
  ['culture', "$a -replace 'I', ''"],
  ['input', 'Read-Host'],
  ['input', 'Get-Credential'],
  ['input', '[Console]::ReadKey()'],
  ['input', '[System.Console]::ReadLine()'],
  ['input', '$Host.UI.PromptForChoice(1, 2, 3, 4)'],
  ['input', '[Console]::In.ReadLine()'],
  ['input', '[Console]::OpenStandardInput()'],
  ['input', 'Unregister-ScheduledTask -TaskName x'],
];

/** What must not be taken for a fault. */
const sound: readonly string[] = [
  "$date.ToString('o', [Globalization.CultureInfo]::InvariantCulture)",
  "$a = @{ DisplayName = 'x'; Action = 'Allow' }\n$a.LocalPort = '1'\nNew-NetFirewallRule @a",
  'Get-NetFirewallRule | Get-NetFirewallPortFilter',
  "Get-ChildItem -LiteralPath 'x' -Directory -ErrorAction SilentlyContinue | Where-Object { $_.Name } | Sort-Object",
  "'x' | ConvertTo-Json -Compress -Depth 4",
  'icacls.exe x /inheritance:r',
  "$a -cmatch '^id$'",
  '"$date and $(1.5)"',
  'Unregister-ScheduledTask -TaskName x -Confirm:$false',
  'function Get-Own { param($One) $One }\nGet-Own -One 1',
  '[Net.IPAddress]::TryParse($a, [ref]$b)',
  '0xFF; 1kb; 1L; 1.5d',
  '($a -and $b) -or ($c -and $d -and $e)',
];

suite("the lint by the engine's own parser", pwsh.whyNot, () => {
  let faults: readonly string[];
  const ours = textsOfOurs();
  // One engine for all of them.
  before(() => {
    faults = lintFaults(
      [
        ...ours,
        ...faulty.map(([, text], index) => ({ name: `faulty ${index}`, text })),
        ...sound.map((text, index) => ({ name: `sound ${index}`, text })),
      ],
      [shared],
    );
  });
  const faultsOf = (name: string) => faults.filter((fault) => fault.startsWith(`${name}:`));

  for (const { name } of ours) {
    it(`finds nothing in ${name}`, () => assert.deepEqual(faultsOf(name), []));
  }

  for (const [index, [rule, text]] of faulty.entries()) {
    it(`finds [${rule}] in ${JSON.stringify(text)}`, () => {
      const found = faultsOf(`faulty ${index}`);
      assert.ok(
        found.some((fault) => fault.includes(`[${rule}]`)),
        found.join('\n') || 'it found nothing',
      );
    });
  }

  for (const [index, text] of sound.entries()) {
    it(`lets ${JSON.stringify(text)} pass`, () => assert.deepEqual(faultsOf(`sound ${index}`), []));
  }

  it('lets a script read standard input that says that it does', () => {
    assert.deepEqual(lintFaults([{ name: 'reader', text: '[Console]::In.ReadLine()', reads_input: true }]), []);
  });
});
