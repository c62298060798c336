import { command, type SideBySideCase, script } from './side-by-side.ts';

const failed = (exitCode: number) => ({ differs: { id: 'program-exit', exitCode } as const });

const utf16be = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16();
const crlf = (text: string) => text.replaceAll('\n', '\r\n');

/** Programs, texts as files, standard input, and what a script finds and leaves around it. */
export const worldCases: readonly SideBySideCase[] = [
  // Programs.
  script('a program with both streams', "sh -c 'echo out; echo err >&2'\n'after'"),
  script('a program between objects', "'a'; sh -c 'echo out'; [pscustomobject]@{ a = 1 }; sh -c 'echo out2'"),
  script('bytes of a program that are no text', 'sh -c \'printf "a\\\\377\\\\000b\\\\n"\''),
  script('100,000 lines of a program', 'sh -c "seq 100000"'),
  script('a program in a pipeline', "sh -c 'printf \"b\\na\\n\"' | Sort-Object; 'x', 'y' | cat"),
  script("a program's output kept", "$x = sh -c 'echo one; echo two'; $x.Count; $x[1]; $LASTEXITCODE"),
  script(
    "a program's errors merged",
    'sh -c \'echo out; echo err >&2\' 2>&1 | ForEach-Object { "<$_>" } | Sort-Object',
  ),
  script(
    "a program's errors kept apart",
    '$x = sh -c \'echo err >&2; exit 2\' 2>&1; $x.GetType().Name; "$x $LASTEXITCODE $?"',
  ),
  script('a program that fails last', "'a'\nsh -c 'echo err >&2; exit 5'", failed(5)),
  command('a program that fails last in a command', "'a'; sh -c 'exit 5'", failed(5)),
  script('a program that fails last, by 255', "sh -c 'exit 255'", failed(255)),
  script('a program that a signal ends', "sh -c 'kill -9 $$'", failed(137)),
  script('a program that fails last inside a function', "function f { sh -c 'exit 6' }\nf\n'after'"),
  script('unicode of a program', 'sh -c \'echo "ü 漢字"\'; $x = sh -c \'echo "ü 漢字"\'; $x.Length'),
  script('a program that is not there', "& /no/such/program\n'after'"),
  script('Start-Process', "$p = Start-Process -FilePath sh -ArgumentList '-c', 'exit 3' -Wait -PassThru; $p.ExitCode"),
  script(
    'Start-Job',
    "$j = Start-Job -ScriptBlock { 'in job'; Write-Error 'job error' }; $j | Wait-Job | Receive-Job; $j | Remove-Job",
  ),
  script('ForEach-Object -Parallel', '1..3 | ForEach-Object -Parallel { $_ * 2 } | Sort-Object'),
  script(
    '$PSNativeCommandUseErrorActionPreference',
    "$PSNativeCommandUseErrorActionPreference = $true\nsh -c 'exit 3'\n'after'",
  ),
  command('arguments of programs', "/bin/echo 'a b' \"c`\"d\" '' --x=y *.none"),
  // Texts as files.
  script('a here-string with CRLF', crlf('$x = @\'\none\n  two\n\'@\n$x.Length\n$x\n@"\nthree $(1 + 1)\n"@\n')),
  script('a here-string with LF', "$x = @'\none\n  two\n'@\n$x.Length\n$x\n"),
  script('a byte order mark', Buffer.from("\ufeff'ü'\nthrow 'x'\n")),
  script('UTF-16 LE', Buffer.from("\ufeff'ü 漢字'\r\nWrite-Error 'ü'\r\n", 'utf16le')),
  script('UTF-16 BE', utf16be("'ü 漢字'\nthrow 'ü'\n")),
  script(
    '200 KB',
    `${Array.from({ length: 4000 }, (_, n) => `$a${n % 10} = '${'x'.repeat(36)}' # ${n}`).join('\n')}\n$a9.Length\nthrow 'at the end'\n`,
  ),
  script('an empty file', ''),
  script('only comments', '# nothing\n<# here #>\n'),
  script('a first line #!', "#!/usr/bin/env pwsh\n'ran'\n"),
  script('a last line that is a comment', "'a' # no end of line"),
  script('a last line that ends in a backtick', "'a' `", {
    differs: {
      id: 'unfinished-text',
      stderr: "At <folder>/user.ps1:1 char:7\n+ 'a' `\n+       ~\nIncomplete string token.\n",
    },
  }),
  script('an old Macintosh line end', "'a'\r'b'\r"),
  script('a signature block', "'a'\n# SIG # Begin signature block\n# MIIxyz\n# SIG # End signature block\n"),
  script('blank lines and tabs', "\n\n\t'a'\n\n\tthrow 'b'\n\n"),
  script(
    'a class and an enum',
    'enum Level { Low; High }\nclass Car { [string]$Name; [Level]$Level; Car([string]$n) { $this.Name = $n; $this.Level = \'High\' } [string] ToString() { return "car $($this.Name)" } }\n$c = [Car]::new(\'x\'); $c; "$c"; [Level]::Low',
  ),
  script('using namespace', 'using namespace System.Collections.Generic\n$l = [List[int]]::new(); $l.Add(5); $l.Count'),
  script('using module beside the script', 'using module ./lib/thing.psm1\nGet-Thing\n[Thing]::new().Name', {
    beside: { 'lib/thing.psm1': "function Get-Thing { 'from module' }\nclass Thing { $Name = 'class' }\n" },
  }),
  script(
    'a module and a data file beside the script',
    'Import-Module "$PSScriptRoot/lib/thing.psm1"\nGet-Thing\nGet-Content -LiteralPath "$PSScriptRoot/lib/data.txt"\nFail-Thing\n\'after\'',
    {
      beside: {
        'lib/thing.psm1':
          "function Get-Thing { 'from module' }\nfunction Fail-Thing { Get-Item -LiteralPath /nowhere; throw 'thing' }\n",
        'lib/data.txt': 'data ü\n',
      },
    },
  ),
  script(
    'another script beside it',
    '. $PSScriptRoot/lib/other.ps1\n& $PSScriptRoot/lib/fails.ps1\n"$other $LASTEXITCODE"',
    {
      beside: { 'lib/other.ps1': "$other = 'other'\n", 'lib/fails.ps1': 'exit 3\n' },
    },
  ),
  // Standard input.
  script('standard input by $input', '$input | ForEach-Object { "<$_>" }', { input: 'one\ntwo\n' }),
  command('standard input by $input of a command', '$input | ForEach-Object { "<$_>" }', { input: 'one\ntwo\n' }),
  command('what $input is', '$input.GetType().Name', {
    input: 'one\ntwo\n',
    differs: { id: 'input-whole', stdout: 'ArrayListEnumeratorSimple\n' },
  }),
  script('standard input of a process block', 'process { "<$_>" }', { input: 'one\ntwo\n' }),
  script('standard input by [Console]::In', '[Console]::In.ReadLine(); [Console]::In.ReadToEnd()', {
    input: 'one\ntwo\nthree',
  }),
  script('standard input by a program', "'before'; cat; 'after'", { input: 'one\ntwo ü\n' }),
  command('standard input by a program of a command', "cat; 'after'", { input: 'one\n' }),
  script('no standard input', '"in: [$([Console]::In.ReadToEnd())]"; cat; @($input).Count'),
  script('Read-Host', "Read-Host\n'after'"),
  // What a script finds and leaves.
  script(
    'where it is',
    '$PSScriptRoot; $PSCommandPath; $MyInvocation.MyCommand.Name; $MyInvocation.MyCommand.Path; $MyInvocation.Line; $MyInvocation.ScriptLineNumber; $MyInvocation.PositionMessage; (Get-Location).Path',
  ),
  script(
    'line and function of a caller',
    'function f { (Get-PSCallStack)[1].ScriptLineNumber; $MyInvocation.ScriptLineNumber; $MyInvocation.Line.Trim() }\n\nf',
  ),
  script(
    'preferences',
    '$ConfirmPreference, $WarningPreference, $VerbosePreference, $DebugPreference, $InformationPreference, $WhatIfPreference; $ErrorView; $OutputEncoding.WebName; [Console]::OutputEncoding.WebName; [cultureinfo]::CurrentCulture.Name',
  ),
  script('its own preference', '$ErrorActionPreference'),
  script('no error before it', '$Error.Count; $?; "[$LASTEXITCODE]"'),
  script(
    'functions and variables with names like ours',
    "function Complete-Run { 'mine' }\nfunction Write-RunError { 'mine' }\nfunction Out-String { 'mine' }\nfunction global:Set-Location { 'mine' }\n$Run = 1; $Request = 2; $Argument = 3; $script:Code = 4\nComplete-Run\nOut-String\nthrow 'x'",
  ),
  script(
    'no commands of ours',
    'Get-Command -CommandType Function -Name *Run*, *Parameter, *Input*, *Argument | ForEach-Object Name',
  ),
  script(
    'aliases that it removes',
    "Remove-Item -Path alias:* -Force\n'a' | Microsoft.PowerShell.Core\\ForEach-Object -Process { $_ }",
  ),
  script(
    'variables that it removes',
    "Get-Variable | Where-Object Options -notmatch 'Constant|ReadOnly' | Remove-Variable -ErrorAction SilentlyContinue\n'after'",
  ),
  script(
    'another folder',
    "Set-Location -LiteralPath /usr\n(Get-Location).Path\n[Environment]::CurrentDirectory = '/usr'\nsh -c pwd",
  ),
  script(
    'another culture',
    "[cultureinfo]::CurrentCulture = 'tr-TR'; [cultureinfo]::CurrentUICulture = 'de-DE'; 1.5.ToString(); 'I'.ToLower(); Get-Item -LiteralPath /nowhere",
  ),
  script(
    'another encoding of the console',
    "[Console]::OutputEncoding = [Text.Encoding]::Latin1; 'ü'; sh -c 'printf \"\\\\374\\\\n\"'",
  ),
  script('environment variables', "$env:WA_X = 'x'; sh -c 'echo $WA_X'; Test-Path -LiteralPath env:WA_Y"),
  script(
    'events',
    '$t = New-Object Timers.Timer 20; $null = Register-ObjectEvent $t Elapsed -SourceIdentifier tick; $t.Start(); (Wait-Event -SourceIdentifier tick -Timeout 5).SourceIdentifier',
  ),
  script(
    'a function that a global event calls',
    'function Get-Mine { \'mine\' }\n$x = 5\n"$global:x $script:x"; & { Get-Mine }',
  ),
  script(
    'host',
    '$Host.Name; $Host.UI.RawUI.BufferSize.Width; [Environment]::UserInteractive; [Console]::IsOutputRedirected',
  ),
  script('colour of errors', 'Get-Item -LiteralPath /nowhere', {
    isColoured: true,
    differs: {
      id: 'no-colour',
      stderr:
        "Get-Item: <folder>/user.ps1:1\nLine |\n   1 |  Get-Item -LiteralPath /nowhere\n     |  ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n     | Cannot find path '/nowhere' because it does not exist.\n",
    },
  }),
  script('progress that nobody sees', '$ProgressPreference', {
    differs: { id: 'no-progress', stdout: 'SilentlyContinue\n' },
  }),
  script('variables that are not its own', 'Get-Variable -Name WinAutomation* | ForEach-Object Name', {
    differs: { id: 'names-of-ours', stdout: 'WinAutomationParameters\nWinAutomationRun\n' },
  }),
];
