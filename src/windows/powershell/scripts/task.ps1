# One scheduled task.
# Argument: {"action": "query" | "register" | "start" | "stop" | "remove", "name": "...", and for register
#   "execute", "arguments", "working_directory", "trigger": "startup" | "logon" | "none",
#   "principal": "interactive" | "system", "user": "..." (interactive; "" is whoever is logged on)}
# An interactive principal runs in the logged-on session and can see the desktop; SYSTEM can't.
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$changed = $false

function Get-Task {
    Get-ScheduledTask -TaskName $request.name -TaskPath '\' -ErrorAction SilentlyContinue
}

function New-Principal {
    if ($request.principal -eq 'system') {
        return New-ScheduledTaskPrincipal -UserId 'SYSTEM' -LogonType ServiceAccount -RunLevel Highest
    }
    $user = [string]$request.user
    if (-not $user) {
        $user = [string](Get-CimInstance -ClassName Win32_ComputerSystem).UserName
    }
    if (-not $user) {
        throw 'nobody is logged on, so there is no session for an interactive task'
    }
    New-ScheduledTaskPrincipal -UserId $user -LogonType Interactive -RunLevel Highest
}

function Register-Task {
    $action = @{ Execute = [string]$request.execute }
    if ($request.arguments) {
        $action.Argument = [string]$request.arguments
    }
    if ($request.working_directory) {
        $action.WorkingDirectory = [string]$request.working_directory
    }
    # Without a limit of its own Windows ends a task after three days.
    $settings = @{
        ExecutionTimeLimit = [TimeSpan]::Zero
        RestartCount = 999
        RestartInterval = [TimeSpan]::FromMinutes(1)
        MultipleInstances = 'IgnoreNew'
        AllowStartIfOnBatteries = $true
        DontStopIfGoingOnBatteries = $true
        StartWhenAvailable = $true
    }
    $task = @{
        TaskName = [string]$request.name
        TaskPath = '\'
        Action = New-ScheduledTaskAction @action
        Principal = New-Principal
        Settings = New-ScheduledTaskSettingsSet @settings
        Force = $true
    }
    if ($request.trigger -eq 'startup') {
        $task.Trigger = New-ScheduledTaskTrigger -AtStartup
    } elseif ($request.trigger -eq 'logon') {
        $task.Trigger = New-ScheduledTaskTrigger -AtLogOn
    }
    Register-ScheduledTask @task | Out-Null
}

$existing = Get-Task
if ($request.action -eq 'register') {
    Register-Task
    $changed = $true
} elseif ($request.action -eq 'start' -and $existing -and $existing.State -ne 'Running') {
    Start-ScheduledTask -TaskName $request.name -TaskPath '\'
    $changed = $true
} elseif ($request.action -eq 'stop' -and $existing -and $existing.State -eq 'Running') {
    Stop-ScheduledTask -TaskName $request.name -TaskPath '\'
    $changed = $true
} elseif ($request.action -eq 'remove' -and $existing) {
    Unregister-ScheduledTask -TaskName $request.name -TaskPath '\' -Confirm:$false
    $changed = $true
}

$task = Get-Task
$info = $null
if ($task) {
    $info = $task | Get-ScheduledTaskInfo
}
[ordered]@{
    name = [string]$request.name
    exists = [bool]$task
    state = [string]$task.State
    user = [string]$task.Principal.UserId
    last_result = [long]$info.LastTaskResult
    changed = $changed
} | ConvertTo-Json -Compress
