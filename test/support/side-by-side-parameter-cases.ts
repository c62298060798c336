import type { SideBySideCase } from './side-by-side.ts';

/** A parameter as we take it and as PowerShell does, and a script that prints what it was. */
const given = (
  title: string,
  declaration: string,
  flags: readonly string[],
  how: Pick<SideBySideCase, 'args'> | Pick<SideBySideCase, 'call'>,
  show = '$Value.GetType().FullName; $Value',
): SideBySideCase => ({
  title,
  kind: 'script',
  text: `param(${declaration})\n${show}\n`,
  flags: flags.flatMap((flag) => ['--param', flag]),
  ...how,
});

const one = (title: string, type: string, value: string, more: Partial<SideBySideCase> = {}) => ({
  ...given(title, `[${type}]$Value`, [`Value=${value}`], { args: ['-Value', value] }),
  ...more,
});

/** Parameters of every type, given both ways. */
export const parameterCases: readonly SideBySideCase[] = [
  one('a string with every quote', 'string', `it's "quoted" $x \`b %PATH% & | ; 漢字 \u{1f600}`),
  one('a string that looks like a date', 'string', '2026-01-02T03:04:05Z'),
  one('a string of digits', 'string', '007'),
  one('an int', 'int', '42'),
  one('a long', 'long', '9007199254740993'),
  one('a double', 'double', '1.5e3'),
  one('a decimal', 'decimal', '0.1'),
  one('a date', 'datetime', '2026-01-02T03:04:05'),
  one('a time span', 'timespan', '1.02:03:04'),
  one('a guid', 'guid', '6f9619ff-8b86-d011-b42d-00c04fc964ff'),
  one('a version', 'version', '1.2.3.4'),
  one('a uri', 'uri', 'https://example.org/a?b=c'),
  one('an enum', 'System.DayOfWeek', 'friday'),
  one('a char', 'char', 'x'),
  one('a regex', 'regex', 'a+b'),
  one('a string of one blank', 'string', ' '),
  given('a switch that is on', '[switch]$Value', ['Value'], { args: ['-Value'] }, '[bool]$Value'),
  given(
    'a switch that is off',
    '[switch]$Value',
    ['Value=false'],
    { args: ['-Value:$false'] },
    '[bool]$Value; $PSBoundParameters.Count',
  ),
  given('a switch that was not given', '[switch]$Value', [], { args: [] }, '[bool]$Value; $PSBoundParameters.Count'),
  given('a bool', '[bool]$Value', ['Value=true'], { call: '-Value $true' }),
  given('a list of strings', '[string[]]$Value', ['Value=a b', 'Value=c'], { call: "-Value 'a b', 'c'" }),
  given(
    'a list of one',
    '[string[]]$Value',
    ['Value=a,b'],
    { call: "-Value 'a,b'" },
    '$Value.GetType().Name; $Value.Count; $Value',
  ),
  given('a list of none', '[string[]]$Value = @()', [], { call: '' }, '$Value.GetType().Name; $Value.Count'),
  given('a list of ints', '[int[]]$Value', ['Value=1', 'Value=2'], { call: '-Value 1, 2' }),
  given(
    'a hashtable',
    '[hashtable]$Value',
    ['Value={"a":1,"b":["x","y"]}'],
    { call: "-Value @{ a = 1; b = 'x', 'y' }" },
    '$Value.GetType().Name; $Value.a; $Value.b.Count; $Value.b',
  ),
  given('an object', '$Value', ['Value=text'], { args: ['-Value', 'text'] }),
  given('a value of a set', "[ValidateSet('a', 'b')][string]$Value", ['Value=b'], { args: ['-Value', 'b'] }),
  given('a value out of a set', "[ValidateSet('a', 'b')][string]$Value", ['Value=c'], { args: ['-Value', 'c'] }),
  given('a value out of range', '[ValidateRange(1, 3)][int]$Value', ['Value=9'], { args: ['-Value', '9'] }),
  given('an empty value where one must be', '[ValidateNotNullOrEmpty()][string]$Value', ['Value='], {
    args: ['-Value', ''],
  }),
  given('a mandatory parameter that is missing', '[Parameter(Mandatory)][string]$Value', [], { args: [] }),
  given(
    'two mandatory parameters of which one is missing',
    '[Parameter(Mandatory)][string]$Value, [Parameter(Mandatory)][int]$Other',
    ['Value=x'],
    { args: ['-Value', 'x'] },
  ),
  given('an alias', "[Alias('Val', 'V2')][string]$Value", ['Val=x'], { args: ['-Val', 'x'] }),
  given('a default value', '[string]$Value = "default of $([int]1 + 1)"', [], { args: [] }),
  given(
    '-Verbose of an advanced script',
    '[Parameter()][string]$Value',
    ['Value=x', 'Verbose'],
    { args: ['-Value', 'x', '-Verbose'] },
    "Write-Verbose 'loud'; $Value",
  ),
  given(
    '-ErrorAction of an advanced script',
    '[Parameter()][string]$Value',
    ['Value=x', 'ErrorAction=SilentlyContinue'],
    { args: ['-Value', 'x', '-ErrorAction', 'SilentlyContinue'] },
    'Get-Item -LiteralPath /nowhere; $Value',
  ),
  {
    title: '-WhatIf of a script that supports it',
    kind: 'script',
    text: "[CmdletBinding(SupportsShouldProcess)]\nparam([string]$Value)\nif ($PSCmdlet.ShouldProcess('thing', 'do')) { 'did' }\n",
    flags: ['--param', 'Value=x', '--param', 'WhatIf'],
    args: ['-Value', 'x', '-WhatIf'],
  },
  {
    title: 'param behind comments and using',
    kind: 'script',
    text: '<# .SYNOPSIS\n  thing #>\n#Requires -Version 5.1\nusing namespace System.Text\n\nparam(\n  # the value\n  [string]$Value\n)\n[StringBuilder]::new($Value).Append("!").ToString()\n',
    flags: ['--param', 'Value=x'],
    args: ['-Value', 'x'],
  },
  {
    title: 'begin, process and end',
    kind: 'script',
    text: "param($Value)\nbegin { \"begin $Value\" }\nprocess { 'process' }\nend { 'end'; sh -c 'exit 0' }\n",
    flags: ['--param', 'Value=x'],
    args: ['-Value', 'x'],
  },
  {
    title: 'dynamic parameters',
    kind: 'script',
    text: '[CmdletBinding()] param([string]$Value)\ndynamicparam { New-Object System.Management.Automation.RuntimeDefinedParameterDictionary }\nend { "got $Value" }\n',
    flags: ['--param', 'Value=x'],
    args: ['-Value', 'x'],
  },
  {
    title: '$args and $PSBoundParameters of a script that declares nothing',
    kind: 'script',
    text: '"args $($args.Count)"; "bound $($PSBoundParameters.Count)"\n',
  },
  {
    title: 'a script that needs another version',
    kind: 'script',
    text: "#Requires -Version 99.0\n'never'\n",
    differs: {
      id: 'heading-of-error',
      stderr: `.: The script 'user.ps1' cannot be run because it contained a "#requires" statement for PowerShell 99.0. The version of PowerShell that is required by the script does not match the currently running version of PowerShell <version>.\n`,
    },
  },
  {
    title: 'a script that needs a module that is not there',
    kind: 'script',
    text: "#Requires -Modules NoSuchModule\n'never'\n",
    differs: {
      id: 'heading-of-error',
      stderr: `.: The script 'user.ps1' cannot be run because the following modules that are specified by the "#requires" statements of the script are missing: The module 'NoSuchModule' cannot be found..\n`,
    },
  },
  {
    title: 'a script whose needs are met',
    kind: 'script',
    text: "#Requires -Version 5.1\n#Requires -PSEdition Core\n'ran'\n",
  },
];
