# Runs a PowerShell script in the logged-on session, where the desktop is, by a scheduled task that is removed again.
# Argument: {"id": "letters, digits and dashes", "script": "<base64 of UTF-8>", "argument": "<base64>", "timeout_s": 60}
# A script that says `exit` with another code than 0 has failed.
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
if ($request.id -cnotmatch '\A[A-Za-z0-9-]{1,64}\z') {
    throw 'the id may have letters, digits and dashes only'
}
$user = [string](Get-CimInstance -ClassName Win32_ComputerSystem -ErrorAction Stop).UserName
if (-not $user) {
    throw 'nobody is logged on'
}

$dir = Join-Path -Path $env:ProgramData -ChildPath "win-automation\run\$($request.id)"
[void][IO.Directory]::CreateDirectory($dir)
$name = "WinAutomation-Run-$($request.id)"
$runnerFile = Join-Path -Path $dir -ChildPath 'runner.ps1'
$scriptFile = Join-Path -Path $dir -ChildPath 'script.ps1'
$argumentFile = Join-Path -Path $dir -ChildPath 'argument.txt'
$resultFile = Join-Path -Path $dir -ChildPath 'result.json'

# What the task runs: it reads its argument from a file beside it, runs the script as a file, so that `exit` ends the script
# alone, and leaves its result as one file.
$runner = @'
$ProgressPreference = 'SilentlyContinue'
$ErrorActionPreference = 'Stop'
$dir = Split-Path -Path $MyInvocation.MyCommand.Path -Parent
$result = @{ ok = $true; output = ''; error = '' }
$lines = New-Object -TypeName System.Collections.ArrayList
try {
    $argument = [IO.File]::ReadAllText((Join-Path -Path $dir -ChildPath 'argument.txt'))
    & (Join-Path -Path $dir -ChildPath 'script.ps1') $argument | ForEach-Object { [void]$lines.Add([string]$_) }
    if (-not $?) {
        $result.ok = $false
        $result.error = "the script ended with exit code $LASTEXITCODE"
    }
} catch {
    $result.ok = $false
    $result.error = [string]$_
}
$result.output = [string]::Join("`n", @($lines))
$temporary = Join-Path -Path $dir -ChildPath 'result.tmp'
[IO.File]::WriteAllText($temporary, ($result | ConvertTo-Json -Compress))
[IO.File]::Move($temporary, (Join-Path -Path $dir -ChildPath 'result.json'))
'@

function Get-OwnTask {
    @(Get-Found -Query { Get-ScheduledTask -TaskName $name -TaskPath '\' -ErrorAction Stop })[0]
}

# 0x41301 is "running now", 0x41303 "has not run yet", 0x41325 "queued".
function Test-Ended {
    $task = Get-OwnTask
    if (-not $task -or 'Running', 'Queued' -contains [string]$task.State) {
        return $false
    }
    $info = $task | Get-ScheduledTaskInfo -ErrorAction Stop
    267009, 267011, 267045 -notcontains [long]$info.LastTaskResult
}

# The result, or a reason to wait no longer: the time is over, or the task is, and has left none.
function Wait-Result {
    $until = [DateTime]::UtcNow.AddSeconds([int]$request.timeout_s)
    $nextLook = [DateTime]::UtcNow.AddSeconds(2)
    $hasEnded = $false
    while (-not (Test-Path -LiteralPath $resultFile)) {
        if ($hasEnded) {
            $info = Get-OwnTask | Get-ScheduledTaskInfo -ErrorAction Stop
            throw "the interactive run ended and left no result; its last result is $([long]$info.LastTaskResult)"
        }
        $now = [DateTime]::UtcNow
        if ($now -gt $until) {
            throw "the interactive run did not end within $([int]$request.timeout_s) s"
        }
        if ($now -gt $nextLook) {
            # Once more after this for the file, which may have come in between.
            $hasEnded = Test-Ended
            $nextLook = $now.AddSeconds(2)
        }
        Start-Sleep -Milliseconds 100
    }
    [IO.File]::ReadAllText($resultFile)
}

try {
    [IO.File]::WriteAllText($runnerFile, $runner)
    # With a byte order mark: Windows PowerShell takes a file without one for ANSI.
    $text = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($request.script)).TrimStart([char]0xFEFF)
    [IO.File]::WriteAllText($scriptFile, $text, (New-Object -TypeName Text.UTF8Encoding -ArgumentList $true))
    [IO.File]::WriteAllText($argumentFile, [string]$request.argument)
    $action = @{
        Execute = 'powershell.exe'
        Argument = "-NoProfile -NonInteractive -ExecutionPolicy Bypass -WindowStyle Hidden -File `"$runnerFile`""
    }
    # Without settings of its own a task waits for mains.
    $settings = @{
        AllowStartIfOnBatteries = $true
        DontStopIfGoingOnBatteries = $true
        ExecutionTimeLimit = [TimeSpan]::FromSeconds([int]$request.timeout_s + 60)
    }
    $task = @{
        TaskName = $name
        TaskPath = '\'
        Action = New-ScheduledTaskAction @action
        Principal = New-ScheduledTaskPrincipal -UserId $user -LogonType Interactive -RunLevel Highest
        Settings = New-ScheduledTaskSettingsSet @settings
        Force = $true
        ErrorAction = 'Stop'
    }
    Register-ScheduledTask @task | Out-Null
    Start-ScheduledTask -TaskName $name -TaskPath '\' -ErrorAction Stop
    Wait-Result
} finally {
    Stop-ScheduledTask -TaskName $name -TaskPath '\' -ErrorAction SilentlyContinue
    Unregister-ScheduledTask -TaskName $name -TaskPath '\' -Confirm:$false -ErrorAction SilentlyContinue
    Remove-Item -LiteralPath $dir -Recurse -Force -ErrorAction SilentlyContinue
}
