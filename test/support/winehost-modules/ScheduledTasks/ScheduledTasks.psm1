# A Task Scheduler that really starts what it is told, and knows how that ended. A task is a file; scheduler.ps1, the service
# behind these cmdlets, starts what a task runs: a program that a session starts would keep that session's streams open.
# Triggers and settings are kept and never act. Parameters are Microsoft's, as far as scripts use them.
Import-Module -Name "$PSScriptRoot\..\WinehostNative"
$folder = Join-Path -Path $env:ProgramData -ChildPath 'winehost\tasks'
$notRunYet = 267011
$running = 267009
$terminated = 267014

function New-Instance {
    param([string]$Class, [Collections.IDictionary]$Values)
    $Values.PSTypeName = "Microsoft.Management.Infrastructure.CimInstance#Root/Microsoft/Windows/TaskScheduler/$Class"
    [pscustomobject]$Values
}

function Get-TaskFile {
    param([string]$TaskName, [string]$TaskPath)
    $name = [Convert]::ToHexString([Text.Encoding]::UTF8.GetBytes("$TaskPath$TaskName".ToLowerInvariant()))
    Join-Path -Path $folder -ChildPath "$name.xml"
}

function Save-Task {
    param($Record)
    $file = Get-TaskFile -TaskName $Record.TaskName -TaskPath $Record.TaskPath
    New-Item -ItemType Directory -Path $folder -Force | Out-Null
    Export-Clixml -LiteralPath "$file.$PID" -InputObject $Record -Depth 6
    Move-Item -LiteralPath "$file.$PID" -Destination $file -Force
}

function Read-Tasks {
    foreach ($file in Get-ChildItem -LiteralPath $folder -Filter '*.xml' -ErrorAction Ignore) {
        $record = Import-Clixml -LiteralPath $file.FullName
        if ($record.LastTaskResult -eq $running) {
            $code = [Winehost.Native]::ExitCode($record.ProcessId)
            if ($null -ne $code) {
                $record.LastTaskResult = [long][BitConverter]::ToUInt32([BitConverter]::GetBytes($code), 0)
                Save-Task -Record $record
            }
        }
        $record
    }
}

function Find-Task {
    # The one record by this name. Else the error that Windows gives, in the name of the cmdlet.
    param([Management.Automation.PSCmdlet]$Caller, $InputObject, [string]$TaskName, [string]$TaskPath = '\')
    if ($InputObject) {
        $TaskName = $InputObject.TaskName
        $TaskPath = $InputObject.TaskPath
    }
    $found = Read-Tasks | Where-Object { $_.TaskName -eq $TaskName -and $_.TaskPath -eq $TaskPath }
    if ($found) {
        return $found
    }
    $exception = [Management.Automation.ItemNotFoundException]::new('The system cannot find the file specified.')
    $record = [Management.Automation.ErrorRecord]::new($exception, 'HRESULT 0x80070002', 'ObjectNotFound', $TaskName)
    $Caller.WriteError($record)
}

function ConvertTo-Task {
    param($Record)
    New-Instance -Class MSFT_ScheduledTask -Values ([ordered]@{
        TaskName = $Record.TaskName
        TaskPath = $Record.TaskPath
        State = if ($Record.LastTaskResult -eq $running) { 'Running' } else { 'Ready' }
        Description = $Record.Description
        Actions = @($Record.Actions)
        Principal = $Record.Principal
        Settings = $Record.Settings
        Triggers = @($Record.Triggers)
    })
}

function New-ScheduledTaskAction {
    [CmdletBinding()]
    param(
        [string]$Id,
        [Parameter(Mandatory = $true, Position = 0)][string]$Execute,
        [Parameter(Position = 1)][string]$Argument,
        [Parameter(Position = 2)][string]$WorkingDirectory
    )
    New-Instance -Class MSFT_TaskExecAction -Values ([ordered]@{
        Id = $Id; Execute = $Execute; Arguments = $Argument; WorkingDirectory = $WorkingDirectory
    })
}

function New-ScheduledTaskPrincipal {
    [CmdletBinding(DefaultParameterSetName = 'User')]
    param(
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'Group')][string]$GroupId,
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'User')][string]$UserId,
        [Parameter(Position = 1, ParameterSetName = 'User')]
        [ValidateSet('None', 'Password', 'S4U', 'Interactive', 'Group', 'ServiceAccount', 'InteractiveOrPassword')]
        [string]$LogonType = 'None',
        [Parameter(Position = 2)][ValidateSet('Limited', 'Highest')][string]$RunLevel = 'Limited',
        [Parameter(Position = 5)][string]$Id
    )
    New-Instance -Class MSFT_TaskPrincipal2 -Values ([ordered]@{
        UserId = $UserId; GroupId = $GroupId; LogonType = $LogonType; RunLevel = $RunLevel; Id = $Id
    })
}

function New-ScheduledTaskSettingsSet {
    [CmdletBinding()]
    param(
        [switch]$AllowStartIfOnBatteries, [ValidateSet('At', 'V1', 'Vista', 'Win7', 'Win8')][string]$Compatibility,
        [TimeSpan]$DeleteExpiredTaskAfter, [switch]$Disable, [switch]$DisallowDemandStart, [switch]$DisallowHardTerminate,
        [switch]$DontStopIfGoingOnBatteries, [switch]$DontStopOnIdleEnd, [TimeSpan]$ExecutionTimeLimit, [switch]$Hidden,
        [ValidateSet('Parallel', 'Queue', 'IgnoreNew')][string]$MultipleInstances, [int]$Priority, [int]$RestartCount,
        [TimeSpan]$RestartInterval, [switch]$RunOnlyIfIdle, [switch]$RunOnlyIfNetworkAvailable, [switch]$StartWhenAvailable,
        [switch]$WakeToRun
    )
    if ($RestartCount -gt 0 -and -not $RestartInterval) {
        throw [ArgumentException]::new('RestartCount needs a RestartInterval.')
    }
    $values = [ordered]@{}
    foreach ($name in $PSBoundParameters.Keys) {
        $values[$name] = [string]$PSBoundParameters[$name]
    }
    New-Instance -Class MSFT_TaskSettings3 -Values $values
}

function New-ScheduledTaskTrigger {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true, ParameterSetName = 'Startup')][switch]$AtStartup,
        [Parameter(Mandatory = $true, ParameterSetName = 'Logon')][switch]$AtLogOn,
        [Parameter(ParameterSetName = 'Logon')][string]$User,
        [TimeSpan]$RandomDelay
    )
    New-Instance -Class "MSFT_Task$($PSCmdlet.ParameterSetName)Trigger" -Values ([ordered]@{ User = $User })
}

function Register-ScheduledTask {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true, Position = 0)][string]$TaskName,
        [Parameter(Position = 1)][string]$TaskPath = '\',
        [Parameter(Mandatory = $true, Position = 2)][object[]]$Action,
        [Parameter(Position = 3)][object[]]$Trigger,
        [Parameter(Position = 4)]$Settings,
        [Parameter(Position = 5)]$Principal,
        [Parameter(Position = 8)][string]$Description,
        [switch]$Force
    )
    if ((Test-Path -LiteralPath (Get-TaskFile -TaskName $TaskName -TaskPath $TaskPath)) -and -not $Force) {
        throw [InvalidOperationException]::new('Cannot create a file when that file already exists.')
    }
    $record = [pscustomobject]@{
        TaskName = $TaskName
        TaskPath = $TaskPath
        Description = $Description
        Actions = $Action
        Triggers = $Trigger
        Settings = $Settings
        Principal = $Principal
        LastRunTime = $null
        LastTaskResult = [long]$notRunYet
        ProcessId = 0
    }
    Save-Task -Record $record
    ConvertTo-Task -Record $record
}

function Get-ScheduledTask {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$TaskName, [Parameter(Position = 1)][string[]]$TaskPath)
    # Both take wildcards, as on Windows.
    $found = @(Read-Tasks | Where-Object {
        $record = $_
        (-not $TaskName -or ($TaskName | Where-Object { $record.TaskName -like $_ })) -and
            (-not $TaskPath -or ($TaskPath | Where-Object { $record.TaskPath -like $_ }))
    })
    if ($found.Count -eq 0 -and $TaskName) {
        $message = "No MSFT_ScheduledTask objects found with property 'TaskName' equal to '$TaskName'. Verify the value of " +
            'the property and retry.'
        Write-Error -Message $message -Category ObjectNotFound -ErrorId 'CmdletizationQuery_NotFound_TaskName' -TargetObject $TaskName
    }
    $found | ForEach-Object { ConvertTo-Task -Record $_ }
}

function Start-ScheduledTask {
    [CmdletBinding(DefaultParameterSetName = 'Path')]
    param(
        [Parameter(Mandatory = $true, ParameterSetName = 'Object', ValueFromPipeline = $true)]$InputObject,
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'Path')][string]$TaskName,
        [Parameter(Position = 1, ParameterSetName = 'Path')][string]$TaskPath = '\'
    )
    process {
        $record = Find-Task -Caller $PSCmdlet -InputObject $InputObject -TaskName $TaskName -TaskPath $TaskPath
        if (-not $record -or $record.LastTaskResult -eq $running) {
            return
        }
        $request = (Get-TaskFile -TaskName $record.TaskName -TaskPath $record.TaskPath) -replace '\.xml$', '.start'
        [IO.File]::WriteAllText($request, '')
        $until = [DateTime]::UtcNow.AddSeconds(20)
        while (Test-Path -LiteralPath $request) {
            if ([DateTime]::UtcNow -gt $until) {
                throw [TimeoutException]::new('The Task Scheduler service is not running.')
            }
            Start-Sleep -Milliseconds 50
        }
    }
}

# What the service does when it is asked: starts the program of one record.
function Invoke-TaskRequest {
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)][string]$Request)
    $record = Import-Clixml -LiteralPath ($Request -replace '\.start$', '.xml')
    $action = @($record.Actions)[0]
    # It keeps a handle of what is started: the exit code can be asked for as long as somebody has one.
    $services = [Winehost.Native]::Processes() | Where-Object { $_.Name -eq 'services.exe' } | Select-Object -First 1
    $record.LastRunTime = [DateTime]::Now
    try {
        $line = "`"$($action.Execute)`" $($action.Arguments)".TrimEnd()
        $record.ProcessId = [Winehost.Native]::Start($line, $action.WorkingDirectory, $services.Id)
        $record.LastTaskResult = [long]$running
    } catch {
        # What Windows has for a program that is not there.
        $record.LastTaskResult = [long]2147942402
    }
    Save-Task -Record $record
    [IO.File]::Delete($Request)
}

function Stop-ScheduledTask {
    [CmdletBinding(DefaultParameterSetName = 'Path')]
    param(
        [Parameter(Mandatory = $true, ParameterSetName = 'Object', ValueFromPipeline = $true)]$InputObject,
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'Path')][string]$TaskName,
        [Parameter(Position = 1, ParameterSetName = 'Path')][string]$TaskPath = '\'
    )
    process {
        $record = Find-Task -Caller $PSCmdlet -InputObject $InputObject -TaskName $TaskName -TaskPath $TaskPath
        if (-not $record -or $record.LastTaskResult -ne $running) {
            return
        }
        # Windows ends the job, that is all that the task's process started.
        $rows = @([Winehost.Native]::Processes())
        $doomed = @([int]$record.ProcessId)
        for ($i = 0; $i -lt $doomed.Count; $i += 1) {
            $doomed += @($rows | Where-Object { $_.ParentId -eq $doomed[$i] } | ForEach-Object { $_.Id })
        }
        foreach ($id in $doomed) {
            [Winehost.Native]::End($id)
        }
        $record.LastTaskResult = [long]$terminated
        Save-Task -Record $record
    }
}

function Unregister-ScheduledTask {
    [CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High', DefaultParameterSetName = 'ByPath')]
    param(
        [Parameter(Mandatory = $true, ParameterSetName = 'InputObject (cdxml)', ValueFromPipeline = $true)][object[]]$InputObject,
        [Parameter(Position = 0, ParameterSetName = 'ByPath')][string[]]$TaskName,
        [Parameter(Position = 1, ParameterSetName = 'ByPath')][string[]]$TaskPath
    )
    process {
        $query = @{}
        foreach ($name in 'TaskName', 'TaskPath') {
            if ($PSBoundParameters.ContainsKey($name)) {
                $query[$name] = $PSBoundParameters[$name]
            }
        }
        $tasks = if ($InputObject) { $InputObject } else { Get-ScheduledTask @query }
        foreach ($task in $tasks) {
            if ($PSCmdlet.ShouldProcess($task.TaskName)) {
                Remove-Item -LiteralPath (Get-TaskFile -TaskName $task.TaskName -TaskPath $task.TaskPath)
            }
        }
    }
}

function Get-ScheduledTaskInfo {
    [CmdletBinding(DefaultParameterSetName = 'Name')]
    param(
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'Object', ValueFromPipeline = $true)]$InputObject,
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'Name')][string]$TaskName,
        [Parameter(Position = 1, ParameterSetName = 'Name')][string]$TaskPath = '\'
    )
    process {
        $record = Find-Task -Caller $PSCmdlet -InputObject $InputObject -TaskName $TaskName -TaskPath $TaskPath
        if ($record) {
            New-Instance -Class MSFT_TaskDynamicInfo -Values ([ordered]@{
                TaskName = $record.TaskName
                TaskPath = $record.TaskPath
                LastRunTime = $record.LastRunTime
                LastTaskResult = [uint32]$record.LastTaskResult
                NumberOfMissedRuns = [uint32]0
            })
        }
    }
}

Export-ModuleMember -Function New-ScheduledTaskAction, New-ScheduledTaskPrincipal, New-ScheduledTaskSettingsSet,
    New-ScheduledTaskTrigger, Register-ScheduledTask, Get-ScheduledTask, Start-ScheduledTask, Stop-ScheduledTask,
    Unregister-ScheduledTask, Get-ScheduledTaskInfo, Invoke-TaskRequest
