# The processes whose command line holds a text, this script's own left out. Changes nothing.
# Argument: {"contains": "..."}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$found = foreach ($process in @(Get-CimInstance -ClassName Win32_Process -ErrorAction Stop)) {
    if (-not $process.CommandLine -or -not $process.CommandLine.Contains([string]$request.contains)) {
        continue
    }
    if ($process.ProcessId -eq $PID) {
        continue
    }
    [ordered]@{
        pid = [long]$process.ProcessId
        name = [string]$process.Name
        command_line = [string]$process.CommandLine
        session_id = [long]$process.SessionId
    }
}
[ordered]@{ processes = @($found) } | ConvertTo-Json -Compress -Depth 4
