# Ends the processes of one run: those below this very SSH connection's sshd whose command line holds the marker, with all
# that they started. Processes of other connections are left alone, and so is this script.
# Argument: {"marker": "..."}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$query = @{
    ClassName = 'Win32_Process'
    Property = 'ProcessId', 'ParentProcessId', 'Name', 'CommandLine', 'CreationDate'
    OperationTimeoutSec = 8
    ErrorAction = 'Stop'
}
$byId = @{}
$children = @{}
foreach ($process in @(Get-CimInstance @query)) {
    $byId[[long]$process.ProcessId] = $process
    $parent = [long]$process.ParentProcessId
    if (-not $children.ContainsKey($parent)) {
        $children[$parent] = New-Object -TypeName System.Collections.ArrayList
    }
    [void]$children[$parent].Add($process)
}

# Upwards from here to the sshd that serves this connection. A process id is used again: a parent that began later is
# somebody else.
$own = @{}
$current = $byId[[long]$PID]
$root = $null
while ($current -and -not $own.ContainsKey([long]$current.ProcessId)) {
    $own[[long]$current.ProcessId] = $true
    if ($current.Name -like 'sshd*') {
        $root = $current
        break
    }
    $parent = $byId[[long]$current.ParentProcessId]
    if ($parent -and $parent.CreationDate -and $current.CreationDate -and $parent.CreationDate -gt $current.CreationDate) {
        break
    }
    $current = $parent
}

# Everything below a process, each once: with a queue and a set no cycle of ids and no depth can hurt. A child never began
# before any of its ancestors; Since is the latest of their dates that is known. A process without a date may be anybody's:
# -IsSure leaves it out.
function Get-Descendants {
    param($Process, $Since, [switch]$IsSure)
    $seen = @{ [long]$Process.ProcessId = $true }
    $queue = New-Object -TypeName System.Collections.Queue
    $queue.Enqueue(@{ Process = $Process; Since = $Since })
    while ($queue.Count -gt 0) {
        $entry = $queue.Dequeue()
        foreach ($child in @($children[[long]$entry.Process.ProcessId])) {
            if (-not $child -or $seen.ContainsKey([long]$child.ProcessId)) {
                continue
            }
            $since = $entry.Since
            if ($child.CreationDate -and $since) {
                if ($child.CreationDate -lt $since) {
                    continue
                }
                $since = $child.CreationDate
            } elseif ($IsSure) {
                continue
            }
            $seen[[long]$child.ProcessId] = $true
            $below = @{ Process = $child; Since = $since }
            $queue.Enqueue($below)
            $below
        }
    }
}

$killed = @()
if ($root -and $request.marker) {
    $doomed = New-Object -TypeName System.Collections.Specialized.OrderedDictionary
    foreach ($entry in @(Get-Descendants -Process $root -Since $root.CreationDate)) {
        $process = $entry.Process
        $isMarked = $process.CommandLine -and $process.CommandLine.Contains([string]$request.marker)
        if (-not $isMarked -or $own.ContainsKey([long]$process.ProcessId)) {
            continue
        }
        # From the top down, so that nobody is left to start another.
        foreach ($each in @($entry) + @(Get-Descendants -Process $process -Since $entry.Since -IsSure)) {
            $id = [long]$each.Process.ProcessId
            if (-not $own.ContainsKey($id)) {
                $doomed[[string]$id] = $id
            }
        }
    }
    foreach ($id in @($doomed.Values)) {
        try {
            Stop-Process -Id $id -Force -ErrorAction Stop
        } catch {
            # It may have ended by itself. What can't be ended is not among the killed.
            if ($_.CategoryInfo.Category -ne 'ObjectNotFound') {
                continue
            }
        }
        $killed += $id
    }
}
[ordered]@{ found_sshd = [bool]$root; killed = @($killed | Sort-Object) } | ConvertTo-Json -Compress -Depth 3
