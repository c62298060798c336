# Runs a PowerShell script in the logged-on session, where the desktop is, by a scheduled task that is removed again.
# Argument: {"id": "letters, digits and dashes", "script": "<base64 of UTF-8>", "argument": "<base64>", "timeout_s": 60}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
if ($request.id -notmatch '^[A-Za-z0-9-]{1,64}$') {
    throw 'the id may have letters, digits and dashes only'
}
$user = [string](Get-CimInstance -ClassName Win32_ComputerSystem).UserName
if (-not $user) {
    throw 'nobody is logged on'
}

$dir = "C:\ProgramData\win-automation\run\$($request.id)"
New-Item -ItemType Directory -Path $dir -Force | Out-Null
$name = "WinAutomation-Run-$($request.id)"

# What the task runs: it reads its script and its argument from files beside it, and leaves its result as one file.
$runner = @'
$ProgressPreference = 'SilentlyContinue'
$ErrorActionPreference = 'Stop'
$dir = Split-Path -Parent $MyInvocation.MyCommand.Path
$result = @{ ok = $true; output = ''; error = '' }
try {
    $text = [IO.File]::ReadAllText("$dir\script.ps1")
    $argument = [IO.File]::ReadAllText("$dir\argument.txt")
    $result.output = [string]::Join("`n", @(& ([scriptblock]::Create($text)) $argument))
} catch {
    $result.ok = $false
    $result.error = [string]$_
}
[IO.File]::WriteAllText("$dir\result.tmp", ($result | ConvertTo-Json -Compress))
[IO.File]::Move("$dir\result.tmp", "$dir\result.json")
'@

try {
    [IO.File]::WriteAllText("$dir\runner.ps1", $runner)
    [IO.File]::WriteAllBytes("$dir\script.ps1", [Convert]::FromBase64String($request.script))
    [IO.File]::WriteAllText("$dir\argument.txt", [string]$request.argument)
    $action = @{
        Execute = 'powershell.exe'
        Argument = "-NoProfile -NonInteractive -ExecutionPolicy Bypass -WindowStyle Hidden -File `"$dir\runner.ps1`""
    }
    $task = @{
        TaskName = $name
        TaskPath = '\'
        Action = New-ScheduledTaskAction @action
        Principal = New-ScheduledTaskPrincipal -UserId $user -LogonType Interactive -RunLevel Highest
        Force = $true
    }
    Register-ScheduledTask @task | Out-Null
    Start-ScheduledTask -TaskName $name -TaskPath '\'
    $until = [DateTime]::UtcNow.AddSeconds([int]$request.timeout_s)
    while (-not (Test-Path -LiteralPath "$dir\result.json")) {
        if ([DateTime]::UtcNow -gt $until) {
            throw "the interactive run did not end within $([int]$request.timeout_s) s"
        }
        Start-Sleep -Milliseconds 100
    }
    [IO.File]::ReadAllText("$dir\result.json")
} finally {
    Stop-ScheduledTask -TaskName $name -TaskPath '\' -ErrorAction SilentlyContinue
    Unregister-ScheduledTask -TaskName $name -TaskPath '\' -Confirm:$false -ErrorAction SilentlyContinue
    Remove-Item -LiteralPath $dir -Recurse -Force -ErrorAction SilentlyContinue
}
