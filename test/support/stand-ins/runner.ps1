# Runs texts of PowerShell in one process, each in a runspace of its own that has the stand-ins. A request is a JSON line on
# standard input: {"id", "script", "argument", "culture", "environment": {}, "stdin"}; the answer one on standard output:
# {"id", "ok", "output", "error", "ms"}.
param([string]$Module)

$reader = [IO.StreamReader]::new([Console]::OpenStandardInput())
$writer = [IO.StreamWriter]::new([Console]::OpenStandardOutput())
$writer.AutoFlush = $true
$initial = [Management.Automation.Runspaces.InitialSessionState]::CreateDefault()
if ($Module) {
    [void]$initial.ImportPSModule($Module)
}
# In front of the text, not as a statement of its own: after several statements Invoke does not throw.
$prelude = @'
[Threading.Thread]::CurrentThread.CurrentCulture = [Globalization.CultureInfo]::GetCultureInfo($args[1])
[Threading.Thread]::CurrentThread.CurrentUICulture = [Threading.Thread]::CurrentThread.CurrentCulture
$ProgressPreference = 'SilentlyContinue'
$ErrorActionPreference = 'Stop'

'@
while ($null -ne ($line = $reader.ReadLine())) {
    $request = $line | ConvertFrom-Json -AsHashtable -DateKind String
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $before = @{}
    foreach ($name in $request['environment'].Keys) {
        $before[$name] = [Environment]::GetEnvironmentVariable($name)
        [Environment]::SetEnvironmentVariable($name, $request['environment'][$name])
    }
    [Console]::SetIn([IO.StringReader]::new([string]$request['stdin']))
    $answer = @{ id = $request['id']; ok = $true; error = ''; output = '' }
    $runspace = [RunspaceFactory]::CreateRunspace($initial)
    $runspace.Open()
    $shell = [PowerShell]::Create($runspace)
    [void]$shell.AddScript($prelude + $request['script']).AddArgument($request['argument']).AddArgument($request['culture'])
    try {
        $answer.output = [string]::Join("`n", @($shell.Invoke()))
    } catch {
        $answer.ok = $false
        $reason = $_.Exception.GetBaseException()
        if ($reason -is [Management.Automation.ActionPreferenceStopException]) { $reason = $reason.ErrorRecord.Exception }
        $answer.error = [string]$reason.Message
    }
    $shell.Dispose()
    $runspace.Dispose()
    foreach ($name in $before.Keys) {
        [Environment]::SetEnvironmentVariable($name, $before[$name])
    }
    $answer.ms = $watch.ElapsedMilliseconds
    $writer.WriteLine(($answer | ConvertTo-Json -Compress -EscapeHandling EscapeNonAscii))
}
