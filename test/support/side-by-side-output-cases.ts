import { command, type SideBySideCase, script } from './side-by-side.ts';

const table = "[pscustomobject]@{ Name = 'a'; Size = 1 }; [pscustomobject]@{ Name = 'b'; Size = 22 }";

/** One that runs together with others. */
const joined = (title: string, text: string) => script(title, text, { isJoined: true });

/** What is printed, and how it is laid out. */
export const outputCases: readonly SideBySideCase[] = [
  command('a table', table),
  script('a table of a script', table),
  command('a table, then text', `${table}; 'text'`),
  command(
    'text, then a table, then another table',
    `'text'; ${table}; Get-Date '2026-01-02' | Select-Object Year, Month`,
  ),
  command(
    'objects of several types',
    `[version]'1.2.3'; 1; 'x'; [guid]::Empty; [timespan]'1.02:03:04'; $true; 1.5; $null`,
  ),
  joined('an object of five properties is a list', '[pscustomobject]@{ a = 1; b = 2; c = 3; d = 4; e = 5 }'),
  command(
    'a selection of properties',
    "Get-ChildItem -LiteralPath / | Where-Object Name -in 'usr', 'tmp' | Select-Object Name, PSIsContainer",
  ),
  command(
    'an expanded property',
    "Get-ChildItem -LiteralPath / | Where-Object Name -in 'usr', 'tmp' | Select-Object -ExpandProperty Name",
  ),
  ...[80, 120, 400].map((width) =>
    joined(
      `a table of ${width} columns`,
      `1..2 | ForEach-Object { [pscustomobject]@{ Id = $_; Text = 'x' * ${width}; End = 'end' } }`,
    ),
  ),
  joined('a text of 500 columns', "'y' * 500; 'z'"),
  joined(
    'a table with AutoSize and Wrap',
    `1..2 | ForEach-Object { [pscustomobject]@{ Id = $_; Text = 'word ' * 60 } } | Format-Table -AutoSize -Wrap`,
  ),
  joined('Format-List', `${table} | Format-List`),
  joined(
    'Format-Wide',
    "'a', 'b', 'c', 'd' | ForEach-Object { [pscustomobject]@{ N = $_ } } | Format-Wide -Property N -Column 2",
  ),
  joined('Format-Table in the middle', `'before'; [pscustomobject]@{ a = 1 } | Format-Table; 'after'`),
  joined('Format-Custom', '[pscustomobject]@{ a = 1; b = [pscustomobject]@{ c = 2 } } | Format-Custom'),
  joined(
    'Format-Table with groups',
    '1..4 | ForEach-Object { [pscustomobject]@{ Odd = $_ % 2; N = $_ } } | Sort-Object -Property Odd | Format-Table -GroupBy Odd',
  ),
  joined('Out-String', '[pscustomobject]@{ a = 1 } | Out-String -Width 60'),
  script('Out-Host', `'one'; [pscustomobject]@{ a = 1 } | Out-Host; 'two'`),
  joined('a hashtable and an ordered one', "[ordered]@{ b = 1; a = @(1, 2) }; @{ x = 'y' }"),
  joined('an array of arrays', '@(1, @(2, @(3, 4))), 5; , @(6, 7)'),
  joined('an empty array, null and an empty text', "@(); $null; ''; 'end'"),
  script(
    'a date and a culture',
    "[cultureinfo]::CurrentCulture = 'de-DE'; [datetime]'2026-01-02T03:04:05'; 1.5; (1.5).ToString()",
  ),
  script(
    'Write-Host',
    "Write-Host 'plain'; Write-Host 'red' -ForegroundColor Red; Write-Host 'no' -NoNewline; Write-Host ' end'",
  ),
  joined('Write-Host between objects', `'a'; Write-Host 'h1'; [pscustomobject]@{ a = 1 }; Write-Host 'h2'; 'b'`),
  script('warnings', "Write-Warning 'careful'; 'out'; Write-Warning (('long ' * 60).Trim())"),
  joined('a warning of several lines', 'Write-Warning "one`ntwo"'),
  joined(
    'verbose and debug that were not asked for',
    "Write-Verbose 'v'; Write-Debug 'd'; Write-Information 'i'; 'out'",
  ),
  joined(
    'verbose, debug and information that the script asks for',
    "$VerbosePreference = 'Continue'; $DebugPreference = 'Continue'; $InformationPreference = 'Continue'; Write-Verbose 'v'; Write-Debug 'd'; Write-Information 'i'",
  ),
  script('progress', "1..3 | ForEach-Object { Write-Progress -Activity 'work' -PercentComplete ($_ * 30) }; 'done'"),
  script(
    '[Console] and pipeline together',
    "[Console]::Out.WriteLine('direct'); 'pipeline'; [Console]::Error.WriteLine('err'); [Console]::Write('x')",
  ),
  script('20,000 lines', '1..20000'),
  joined(
    'unicode',
    "'ü ß 漢字 \u{1f600} e\u0301 \u05e9\u05dc\u05d5\u05dd \u200f'; [pscustomobject]@{ 'Größe' = '漢字'; b = '\u{1f600}' }",
  ),
  command('unicode of a command', '\'ü ß 漢字 \u{1f600} e\u0301 \u05e9\'; "it\'s ""q"" `$x %PATH% ^ & | < >"'),
  joined(
    'colour that the script writes itself',
    '"$([char]27)[31mred$([char]27)[0m"; $PSStyle.Foreground.Green + "g" + $PSStyle.Reset',
  ),
  script('text without an end of line', "[Console]::Out.Write('no end')"),
  script('a table that waits when the script ends by exit', `${table}; exit 0`, {
    differs: { id: 'table-kept', stdout: '\nName Size\n---- ----\na       1\nb      22\n\n' },
  }),
  joined(
    'objects of a function',
    'function Get-Thing { param($n) [pscustomobject]@{ n = $n } } Get-Thing 1; Get-Thing 2',
  ),
  joined(
    'text like that of Get-Help',
    'Get-Command -Name Get-Process -Syntax; (Get-Command -Name Get-Item).Parameters.Keys | Select-Object -First 3',
  ),
  joined('members', "'x' | Get-Member -Name Length, Trim"),
  joined('types', '[int], [string]; [System.DayOfWeek]::Monday; [Enum]::GetValues([System.DayOfWeek])'),
  script(
    'errors as objects',
    'try { throw "x" } catch { $_.Exception.Message; $_.InvocationInfo.ScriptLineNumber; $_.FullyQualifiedErrorId }',
  ),
  joined('a culture list as table', "[cultureinfo]'de-DE', [cultureinfo]'tr-TR'"),
  joined('measured and grouped', "1..10 | Measure-Object -Sum -Average; 'a', 'b', 'a' | Group-Object"),
  joined(
    'JSON, CSV and XML',
    "[pscustomobject]@{ a = 1 } | ConvertTo-Json; [pscustomobject]@{ a = 1 } | ConvertTo-Csv; [xml]'<a><b/></a>'",
  ),
  joined('a secure string', "ConvertTo-SecureString -String 'x' -AsPlainText -Force"),
  joined('output to null', "'x' > $null; 'y' | Out-Null; [void](1); 'z'"),
];
