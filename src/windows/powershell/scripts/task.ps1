# One scheduled task.
# Argument: {"action": "query" | "register" | "start" | "stop" | "remove", "name": "...", and for register
#   "execute", "arguments", "working_directory", "trigger": "startup" | "logon" | "none",
#   "principal": "interactive" | "system", "user": "..." (interactive; "" is whoever is logged on)}
# An interactive principal runs in the logged-on session and can see the desktop; SYSTEM can't.
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$changed = $false

# By its exact name: what the cmdlet takes for a name is a pattern.
function Get-Task {
    $all = @(Get-Found -Query { Get-ScheduledTask -TaskPath '\' -ErrorAction Stop })
    @($all | Where-Object { $_.TaskName -eq [string]$request.name })[0]
}

function New-Principal {
    if ($request.principal -eq 'system') {
        return New-ScheduledTaskPrincipal -UserId 'SYSTEM' -LogonType ServiceAccount -RunLevel Highest
    }
    $user = [string]$request.user
    if (-not $user) {
        $user = [string](Get-CimInstance -ClassName Win32_ComputerSystem -ErrorAction Stop).UserName
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
        ErrorAction = 'Stop'
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
    $existing | Start-ScheduledTask -ErrorAction Stop
    $changed = $true
} elseif ($request.action -eq 'stop' -and $existing -and $existing.State -eq 'Running') {
    $existing | Stop-ScheduledTask -ErrorAction Stop
    $changed = $true
} elseif ($request.action -eq 'remove' -and $existing) {
    $existing | Unregister-ScheduledTask -Confirm:$false -ErrorAction Stop
    $changed = $true
}

$task = Get-Task
$info = $null
if ($task) {
    $info = $task | Get-ScheduledTaskInfo -ErrorAction Stop
}
[ordered]@{
    name = [string]$request.name
    exists = [bool]$task
    state = [string]$task.State
    user = [string]$task.Principal.UserId
    last_result = [long]$info.LastTaskResult
    changed = $changed
} | ConvertTo-Json -Compress
