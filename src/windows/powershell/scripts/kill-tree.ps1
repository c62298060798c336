# Ends the processes of one run: those below this very SSH connection's sshd whose command line holds the marker, with all
# that they started. Processes of other connections are left alone, and so is this script.
# Argument: {"marker": "..."}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$all = @(Get-CimInstance -ClassName Win32_Process)
$byId = @{}
$children = @{}
foreach ($process in $all) {
    $byId[[int]$process.ProcessId] = $process
    $parent = [int]$process.ParentProcessId
    if (-not $children.ContainsKey($parent)) {
        $children[$parent] = New-Object -TypeName System.Collections.ArrayList
    }
    [void]$children[$parent].Add($process)
}

# Upwards from here to the sshd that serves this connection.
$own = @{}
$current = $byId[[int]$PID]
$root = $null
while ($current) {
    $own[[int]$current.ProcessId] = $true
    if ($current.Name -like 'sshd*') {
        $root = $current
        break
    }
    $parent = $byId[[int]$current.ParentProcessId]
    # A process id is used again: a parent that began later is somebody else.
    if ($parent -and $parent.CreationDate -gt $current.CreationDate) {
        break
    }
    $current = $parent
}

function Get-Descendants {
    param([int]$Id)
    foreach ($child in @($children[$Id])) {
        if ($child -and $child.ProcessId -ne $Id) {
            $child
            Get-Descendants -Id $child.ProcessId
        }
    }
}

$killed = @()
if ($root -and $request.marker) {
    $below = @(Get-Descendants -Id $root.ProcessId)
    $marked = @($below | Where-Object {
        $_.CommandLine -and $_.CommandLine.Contains([string]$request.marker) -and -not $own.ContainsKey([int]$_.ProcessId)
    })
    $doomed = @($marked) + @($marked | ForEach-Object { Get-Descendants -Id $_.ProcessId })
    foreach ($process in ($doomed | Sort-Object -Property ProcessId -Unique)) {
        Stop-Process -Id $process.ProcessId -Force -ErrorAction SilentlyContinue
        $killed += [int]$process.ProcessId
    }
}
[ordered]@{ found_sshd = [bool]$root; killed = @($killed) } | ConvertTo-Json -Compress -Depth 3
