# Scheduled tasks. A task in the state: {"TaskName", "TaskPath", "State", "Principal": {}, "LastTaskResult"}.
# With "start_programs" in the state a task that is started runs its program, and the task is over when that ends; without
# it, "tasks_end" says what a started task becomes at once: {"State": "Ready", "LastTaskResult": 1}.

function New-TaskObject {
    param($Task)
    New-Cim -Class 'MSFT_ScheduledTask' -Fields ([ordered]@{
        TaskName = $Task['TaskName']; TaskPath = $Task['TaskPath']; State = [StandIn.TaskState]$Task['State']
        Principal = $(if ($Task['Principal']) { New-Cim -Class 'MSFT_TaskPrincipal' -Fields $Task['Principal'] })
        Actions = @($Task['Actions']); Settings = $Task['Settings']
    })
}

# A task whose program has ended is ready again.
function Update-Task {
    param($State)
    $isChanged = $false
    foreach ($task in (Get-Items -State $State -Name 'tasks')) {
        if ($task['State'] -eq 'Running' -and $task['ProcessId']) {
            $process = Get-Process -Id $task['ProcessId'] -ErrorAction Ignore
            if (-not $process -or $process.HasExited) {
                $task['State'] = 'Ready'
                $task['LastTaskResult'] = 0
                $isChanged = $true
            }
        }
    }
    if ($isChanged) { Write-State -State $State -Command 'task ended' -Detail $null }
}

function Select-Task {
    param($State, $Bound, $Cmdlet)
    if ($Bound['InputObject']) {
        $keys = @($Bound['InputObject'] | ForEach-Object { "$($_.TaskPath)$($_.TaskName)" })
        return Get-Items -State $State -Name 'tasks' | Where-Object { $keys -contains "$($_['TaskPath'])$($_['TaskName'])" }
    }
    $found = @(Get-Items -State $State -Name 'tasks' | Where-Object {
        (-not $Bound['TaskName'] -or (Test-Name -Patterns $Bound['TaskName'] -Value $_['TaskName'])) -and
        (-not $Bound['TaskPath'] -or (Test-Name -Patterns $Bound['TaskPath'] -Value $_['TaskPath']))
    })
    if ($found.Count -eq 0) {
        $key = @('TaskName', 'TaskPath' | Where-Object { $Bound[$_] })[0]
        if ($key) { Write-NotFound -Cmdlet $Cmdlet -Class 'MSFT_ScheduledTask' -Property $key -Patterns $Bound[$key] }
    }
    $found
}

function Get-ScheduledTask {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'Get-ScheduledTask') { return }
        Update-Task -State $machine
        Select-Task -State $machine -Bound $PSBoundParameters -Cmdlet $PSCmdlet | ForEach-Object { New-TaskObject -Task $_ }
    }
}

function Get-ScheduledTaskInfo {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'Get-ScheduledTaskInfo') { return }
        foreach ($task in (Select-Task -State $machine -Bound $PSBoundParameters -Cmdlet $PSCmdlet)) {
            New-Cim -Class 'MSFT_TaskDynamicInfo' -Fields ([ordered]@{
                TaskName = $task['TaskName']; TaskPath = $task['TaskPath']; LastRunTime = $null; NextRunTime = $null
                LastTaskResult = [uint32]$task['LastTaskResult']
            })
        }
    }
}

function New-ScheduledTaskPrincipal {
    process {
        New-Cim -Class 'MSFT_TaskPrincipal' -Fields ([ordered]@{
            UserId = $UserId; GroupId = $GroupId; LogonType = $LogonType; RunLevel = $RunLevel
        })
    }
}

function New-ScheduledTaskAction {
    process {
        New-Cim -Class 'MSFT_TaskExecAction' -Fields ([ordered]@{
            Execute = $Execute; Arguments = $Argument; WorkingDirectory = $WorkingDirectory
        })
    }
}

function New-ScheduledTaskSettingsSet {
    process {
        New-Cim -Class 'MSFT_TaskSettings3' -Fields ([ordered]@{
            # As Windows names them: without the switches a task waits for mains.
            DisallowStartIfOnBatteries = -not $AllowStartIfOnBatteries
            StopIfGoingOnBatteries = -not $DontStopIfGoingOnBatteries
            ExecutionTimeLimit = $(if ($PSBoundParameters.ContainsKey('ExecutionTimeLimit')) { [Xml.XmlConvert]::ToString($ExecutionTimeLimit) } else { 'PT72H' })
            RestartCount = $RestartCount; MultipleInstances = $MultipleInstances
        })
    }
}

function New-ScheduledTaskTrigger {
    process { New-Cim -Class 'MSFT_TaskTrigger' -Fields ([ordered]@{ Kind = $PSCmdlet.ParameterSetName; UserId = $User }) }
}

function Register-ScheduledTask {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'Register-ScheduledTask') { return }
        $path = if ($TaskPath) { $TaskPath } else { '\' }
        $old = @(Get-Items -State $machine -Name 'tasks' | Where-Object { $_['TaskName'] -eq $TaskName -and $_['TaskPath'] -eq $path })
        if ($old.Count -gt 0 -and -not $Force) {
            Write-Fault -Cmdlet $PSCmdlet -Id 'HRESULT 0x800700b7' -Category ResourceExists -Message 'Cannot create a file when that file already exists.'
            return
        }
        # Without settings of its own a task gets those of the Task Scheduler, which keep it from starting on battery.
        $given = if ($Settings) { $Settings } else { @{ DisallowStartIfOnBatteries = $true; StopIfGoingOnBatteries = $true; ExecutionTimeLimit = 'PT72H' } }
        $task = [ordered]@{
            TaskName = $TaskName; TaskPath = $path; State = 'Ready'; LastTaskResult = 267011
            Principal = $Principal; Actions = @($Action); Triggers = @($Trigger | Where-Object { $_ }); Settings = $given
        }
        $machine['tasks'] = @(Get-Items -State $machine -Name 'tasks' | Where-Object { $old -notcontains $_ }) + @($task)
        Write-State -State $machine -Command 'Register-ScheduledTask' -Detail $task
        New-TaskObject -Task ($task | ConvertTo-Json -Depth 9 | ConvertFrom-Json -AsHashtable)
    }
}

# Starts what a task's first action names.
function Start-Action {
    param($Task)
    $action = $Task['Actions'][0]
    $program = $action['Execute']
    $engine = [Environment]::GetEnvironmentVariable('WIN_AUTOMATION_STAND_IN_POWERSHELL')
    if ($program -eq 'powershell.exe' -and $engine) { $program = $engine }
    $arguments = [string]$action['Arguments']
    # PowerShell elsewhere than on Windows has no windows to hide, and refuses.
    if (-not $IsWindows) { $arguments = $arguments.Replace('-WindowStyle Hidden', '') }
    $start = [Diagnostics.ProcessStartInfo]::new($program, $arguments)
    if ($action['WorkingDirectory']) { $start.WorkingDirectory = $action['WorkingDirectory'] }
    # A program of the Task Scheduler has no part in our streams.
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.RedirectStandardInput = $true
    $process = [Diagnostics.Process]::Start($start)
    $process.StandardInput.Close()
    $process.BeginOutputReadLine()
    $process.BeginErrorReadLine()
    $process.Id
}

function Start-ScheduledTask {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'Start-ScheduledTask') { return }
        foreach ($task in (Select-Task -State $machine -Bound $PSBoundParameters -Cmdlet $PSCmdlet)) {
            $task['State'] = 'Running'
            $task['LastTaskResult'] = 267009
            if ($machine['start_programs']) { $task['ProcessId'] = Start-Action -Task $task }
            if ($machine['tasks_end']) { foreach ($key in $machine['tasks_end'].Keys) { $task[$key] = $machine['tasks_end'][$key] } }
            Write-State -State $machine -Command 'Start-ScheduledTask' -Detail $task['TaskName']
        }
    }
}

function Stop-ScheduledTask {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'Stop-ScheduledTask') { return }
        foreach ($task in (Select-Task -State $machine -Bound $PSBoundParameters -Cmdlet $PSCmdlet)) {
            $process = if ($task['ProcessId']) { Get-Process -Id $task['ProcessId'] -ErrorAction Ignore }
            if ($process) { $process.Kill($true) }
            $task['State'] = 'Ready'
            $task['ProcessId'] = $null
            Write-State -State $machine -Command 'Stop-ScheduledTask' -Detail $task['TaskName']
        }
    }
}

function Unregister-ScheduledTask {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'Unregister-ScheduledTask') { return }
        foreach ($task in @(Select-Task -State $machine -Bound $PSBoundParameters -Cmdlet $PSCmdlet)) {
            # It asks first on Windows, and nobody can answer.
            if (-not $PSCmdlet.ShouldProcess($task['TaskName'])) { continue }
            $machine['tasks'] = @(Get-Items -State $machine -Name 'tasks' | Where-Object { $_ -ne $task })
            Write-State -State $machine -Command 'Unregister-ScheduledTask' -Detail $task['TaskName']
        }
    }
}
