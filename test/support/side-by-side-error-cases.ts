import { command, type SideBySideCase, script } from './side-by-side.ts';

/** One that runs together with others. */
const joined = (title: string, text: string) => script(title, text, { isJoined: true });

/** Errors of every kind, and exit codes. */
export const errorCases: readonly SideBySideCase[] = [
  script('throw', "'before'\nthrow 'gone'\n'after'"),
  command('throw of a command', "'before'; throw 'gone'; 'after'"),
  script('throw of an object', 'throw [pscustomobject]@{ a = 1 }'),
  script(
    'throw of an exception with a cause',
    "throw [InvalidOperationException]::new('outer', [Exception]::new('inner'))",
  ),
  script(
    'throw in a function',
    "function Deep { param($n) if ($n -eq 0) { throw 'deep' }; Deep ($n - 1) }\nDeep 3\n'after'",
  ),
  joined('Write-Error', "Write-Error 'soft'\n'after'"),
  script('Write-Error last', "'before'\nWrite-Error 'soft'"),
  command('Write-Error last in a command', "'before'; Write-Error 'soft'"),
  joined(
    'Write-Error with everything',
    "Write-Error -Message 'm' -Category InvalidData -ErrorId 'My.Id' -TargetObject 5 -RecommendedAction 'do it'\n$Error[0].FullyQualifiedErrorId",
  ),
  joined("a cmdlet's error", "Get-Item -LiteralPath /nowhere\n'after'"),
  command("a cmdlet's error in a command", "Get-Item -LiteralPath /nowhere; 'after'"),
  command("a cmdlet's error last in a command", 'Get-Item -LiteralPath /nowhere'),
  script("a cmdlet's error last in a script", 'Get-Item -LiteralPath /nowhere'),
  command('an error that is silenced last', 'Get-Item -LiteralPath /nowhere -ErrorAction SilentlyContinue'),
  joined('an error that is silenced last in a script', 'Get-Item -LiteralPath /nowhere -ErrorAction SilentlyContinue'),
  script('-ErrorAction Stop', "Get-Item -LiteralPath /nowhere -ErrorAction Stop\n'after'"),
  joined(
    'two errors and a table',
    "[pscustomobject]@{ a = 1 }\nGet-Item -LiteralPath /nowhere\n[pscustomobject]@{ a = 2 }\nWrite-Error 'second'\n'end'",
  ),
  script('a missing command', "'before'\nNo-SuchCommand -Name x\n'after'"),
  command('a missing command of a command', 'No-SuchCommand'),
  script('a parse error in the first line', "if ($x {\n'after'\n"),
  script('a parse error in the last line', "'before'\n$a = @(1, 2\n", {
    differs: {
      id: 'unfinished-text',
      stderr: "At <folder>/user.ps1:3 char:2\n+ \nMissing closing ')' in subexpression.\n",
    },
  }),
  script('two parse errors', "'a'\nfoo(1,\n}\n'b'"),
  command('a parse error of a command', "if ($true { 'x' }"),
  command('a command that ends in a pipe', "'x' |", {
    differs: {
      id: 'unfinished-text',
      stderr: "ParserError: \nLine |\n   1 |  'x' |\n     |       ~\n     | An empty pipe element is not allowed.\n",
    },
  }),
  script('a script that ends in a pipe', "'x' |"),
  script('an unterminated string', "'a'\n\"never ends\n"),
  joined('a division by zero', "1 / 0\n'after'"),
  joined('a method of null', "$null.Foo()\n'after'"),
  joined("an exception of .NET's", "[int]::Parse('x')\n'after'"),
  joined('a cast that fails', "[int]'x'\n'after'"),
  joined('an unknown type', "[No.Such.Type]::new()\n'after'"),
  joined('an unknown member', "'x'.NoSuch()\n'after'"),
  joined('an index out of range', "@(1)[5]; [int[]]$a = 1; $a[9] = 1\n'after'"),
  joined('a wrong parameter', "Get-Item -NoSuchParameter x\n'after'"),
  joined('a parameter of a wrong type', "Start-Sleep -Seconds abc\n'after'"),
  joined(
    'a missing mandatory parameter of a function',
    "function f { param([Parameter(Mandatory)]$x) $x }\nf\n'after'",
  ),
  joined('a validation that fails', "function f { param([ValidateRange(1, 3)][int]$x) $x }\nf -x 9\n'after'"),
  script('an error of a class', "class Car { [void] Drive() { throw 'no fuel' } }\n[Car]::new().Drive()\n'after'"),
  joined(
    'an error of a class from .NET',
    "class Car { [int] Drive() { return [int]::Parse('x') } }\n[Car]::new().Drive()\n'after'",
  ),
  joined(
    'an error inside a pipeline',
    '1..3 | ForEach-Object { if ($_ -eq 2) { Write-Error "no $_" }; $_ }\n\'after\'',
  ),
  script('an error of a script block', "& { throw 'in block' }\n'after'"),
  script('an error of Invoke-Expression', "Invoke-Expression 'throw \"in expression\"'\n'after'"),
  joined('trap', "trap { \"trapped $_\"; continue }\nthrow 'x'\n'after'"),
  script('trap with break', "trap { \"trapped $_\"; break }\nthrow 'x'\n'after'"),
  joined('try, catch and finally', "try { throw 'x' } catch { \"caught $_\" } finally { 'finally' }\n'after'"),
  script('rethrow', "try { [int]::Parse('x') } catch { 'caught'; throw } finally { 'finally' }", {
    differs: {
      id: 'heading-of-error',
      stderr: `Exception: <folder>/user.ps1:1
Line |
   1 |  try { [int]::Parse('x') } catch { 'caught'; throw } finally { 'finall …
     |        ~~~~~~~~~~~~~~~~~
     | Exception calling "Parse" with "1" argument(s): "The input string 'x'
     | was not in a correct format."
`,
    },
  }),
  script('an error in finally', "try { 'a' } finally { throw 'f' }"),
  script(
    '$ErrorActionPreference that the script sets',
    "$ErrorActionPreference = 'Stop'\nGet-Item -LiteralPath /nowhere\n'after'",
  ),
  script(
    '$ErrorActionPreference that silences',
    "$ErrorActionPreference = 'SilentlyContinue'\nGet-Item -LiteralPath /nowhere\nthrow 'x'\n'after'",
  ),
  joined('strict mode', "Set-StrictMode -Version Latest\n'a'\n$nothing\n'after'"),
  script('strict mode to the end', 'Set-StrictMode -Version Latest\n$x = 1\n$x'),
  joined('an error of a long line', `Write-Error ('word ' * 80)\n${"'x' + ".repeat(60)}'y' | Get-Item`),
  joined('an error of several lines', 'Write-Error "one`ntwo`nthree"'),
  joined(
    'an error in a deep indentation',
    "if ($true) {\n    if ($true) {\n\t\tGet-Item -LiteralPath '/no\u00fcwhere/漢字'\n    }\n}",
  ),
  joined('$Error and $?', 'Get-Item -LiteralPath /nowhere\n$?\n$Error.Count\n$?'),
  joined('Get-Error', 'try { throw "x" } catch { }\n(Get-Error).Exception.Message'),
  joined(
    'Write-Error as a function\u2019s own',
    "function f { [CmdletBinding()] param() $PSCmdlet.WriteError([Management.Automation.ErrorRecord]::new([Exception]::new('own'), 'Own', 'NotSpecified', $null)) }\nf\n'after'",
  ),
  joined(
    'ThrowTerminatingError',
    "function f { [CmdletBinding()] param() $PSCmdlet.ThrowTerminatingError([Management.Automation.ErrorRecord]::new([Exception]::new('own'), 'Own', 'NotSpecified', $null)) }\nf\n'after'",
  ),
  joined('assertions of the pipeline stopper', "1..5 | Select-Object -First 2\n'after'"),
  joined(
    'an error stream that is merged',
    'Get-Item -LiteralPath /nowhere 2>&1 | ForEach-Object { "[$_]" }\nWrite-Warning w 3>&1 | ForEach-Object { "<$_>" }',
  ),
  joined('an error written to a file', "Get-Item -LiteralPath /nowhere 2> $null\n'after'"),
  ...[0, 1, 3, 255, 256, -1].map((code) => script(`exit ${code}`, `'a'\nexit ${code}\n'b'`)),
  ...[0, 3].map((code) => command(`exit ${code} of a command`, `'a'; exit ${code}; 'b'`)),
  script('exit in a function', "function f { 'in f'; exit 4 }\nf\n'after'"),
  script('exit in try and finally', "try { exit 5 } finally { 'finally' }\n'after'"),
  script('exit in a pipeline', "1..3 | ForEach-Object { $_; if ($_ -eq 2) { exit 6 } }\n'after'"),
  script('exit after an error', 'Get-Item -LiteralPath /nowhere\nexit 0'),
  script('exit without a code', "sh -c 'exit 3'\nexit"),
  script('exit $LASTEXITCODE', "sh -c 'exit 3'\nexit $LASTEXITCODE"),
  script('exit with a text', "exit '7'"),
  script('SetShouldExit', "'a'\n$Host.SetShouldExit(4)\n'b'"),
  script('return', "'a'\nreturn\n'b'"),
  script('return of a value', 'return [pscustomobject]@{ a = 1 }'),
  script('return after a program that failed', "sh -c 'exit 3'\nreturn 'x'\n'b'"),
  joined('a program that failed in the middle', "sh -c 'exit 3'\n'after'"),
  script('[Environment]::Exit', "'a'\n[Environment]::Exit(9)\n'b'"),
  command('a last value of false', '$false'),
  command('a last test that fails', 'Test-Path -LiteralPath /nowhere'),
  ...(
    [
      ["a cmdlet's error by default", "'before'\nGet-Item -LiteralPath /nowhere\n'after'", 'before\n'],
      ['Write-Error by default', "'before'\nWrite-Error 'soft'\n'after'", 'before\n'],
      ['a table, then an error by default', "[pscustomobject]@{ a = 1 }\n1 / 0\n'after'", '\na\n-\n1\n\n'],
    ] as const
  ).map(([title, text, stdout]) =>
    script(title, text, { errorAction: 'stop', differs: { id: 'error-stops', exitCode: 1, stdout } }),
  ),
  ...(
    [
      ['no error by default', "'a'; [pscustomobject]@{ a = 1 }; 'b'"],
      [
        'an error that is caught by default',
        "try { Get-Item -LiteralPath /nowhere -ErrorAction Stop } catch { 'caught' }\nGet-Item -LiteralPath /nowhere -ErrorAction SilentlyContinue\n'after'",
      ],
      [
        'a script that goes on after errors, by default',
        "$ErrorActionPreference = 'Continue'\nGet-Item -LiteralPath /nowhere\n1 / 0\n$null.Foo()\n'after'",
      ],
      [
        'a script that silences errors, by default',
        "$ErrorActionPreference = 'SilentlyContinue'\nGet-Item -LiteralPath /nowhere\n$null.Foo()\nthrow 'x'\n'after'",
      ],
      ["a program's errors by default", "sh -c 'echo err >&2'\n'after'"],
      ['throw by default', "'before'\nthrow 'gone'\n'after'"],
    ] as const
  ).map(([title, text]) => script(title, text, { errorAction: 'stop' })),
];
