# Get-CimInstance over what Wine's kernel32 and registry tell, since Wine has no WMI that .NET can reach. Knows the classes
# and the filters that are asked for in practice, and refuses others as Windows does.
# Processes are the real ones. One thing is shown as Windows would show it: OpenSSH there has one process a connection, and
# this host one sshd-session.exe a channel. Those of one connection are shown as one, the oldest.
Import-Module -Name "$PSScriptRoot\..\WinehostNative"

function ConvertTo-Instance {
    param([string]$ClassName, [Collections.IDictionary]$Values)
    $Values.PSTypeName = "Microsoft.Management.Infrastructure.CimInstance#root/cimv2/$ClassName"
    [pscustomobject]$Values
}

function Get-ProcessInstance {
    $rows = @([Winehost.Native]::Processes())
    $sessions = $rows | Where-Object { $_.Name -eq 'sshd-session.exe' -and $_.Connection } | Sort-Object -Property Started, Id
    $shownAs = @{}
    $oldest = @{}
    foreach ($session in $sessions) {
        if (-not $oldest.ContainsKey($session.Connection)) {
            $oldest[$session.Connection] = $session.Id
        }
        $shownAs[$session.Id] = $oldest[$session.Connection]
    }
    foreach ($row in $rows) {
        if ($shownAs.ContainsKey($row.Id) -and $shownAs[$row.Id] -ne $row.Id) {
            continue
        }
        $parent = $row.ParentId
        if ($shownAs.ContainsKey($parent)) {
            $parent = $shownAs[$parent]
        }
        ConvertTo-Instance -ClassName Win32_Process -Values ([ordered]@{
            ProcessId = [uint32]$row.Id
            ParentProcessId = [uint32]$parent
            Name = $row.Name
            CommandLine = $row.CommandLine
            ExecutablePath = $row.Path
            CreationDate = $row.Started
            SessionId = [uint32]$row.SessionId
        })
    }
}

function Get-OperatingSystemInstance {
    $version = [Environment]::OSVersion.Version
    $now = Get-Date
    $product = (Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion').ProductName
    ConvertTo-Instance -ClassName Win32_OperatingSystem -Values ([ordered]@{
        Caption = $product
        Version = $version.ToString(3)
        BuildNumber = [string]$version.Build
        OSArchitecture = '64-bit'
        LastBootUpTime = $now.AddMilliseconds(-[Environment]::TickCount64)
        LocalDateTime = $now
    })
}

function Get-LogicalDiskInstance {
    foreach ($drive in [IO.DriveInfo]::GetDrives() | Where-Object { $_.IsReady }) {
        ConvertTo-Instance -ClassName Win32_LogicalDisk -Values ([ordered]@{
            DeviceID = $drive.Name.TrimEnd('\')
            DriveType = [uint32]$drive.DriveType
            FileSystem = $drive.DriveFormat
            FreeSpace = [uint64]$drive.TotalFreeSpace
            Size = [uint64]$drive.TotalSize
        })
    }
}

function Get-ServiceInstance {
    foreach ($service in Get-Service) {
        $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$($service.Name)"
        $path = $null
        if (Test-Path -LiteralPath $key) {
            $path = (Get-Item -LiteralPath $key).GetValue('ImagePath')
        }
        ConvertTo-Instance -ClassName Win32_Service -Values ([ordered]@{
            Name = $service.Name
            DisplayName = $service.DisplayName
            State = [string]$service.Status
            StartMode = ([string]$service.StartType) -replace '^Automatic$', 'Auto'
            PathName = $path
        })
    }
}

function Get-ComputerSystemInstance {
    ConvertTo-Instance -ClassName Win32_ComputerSystem -Values ([ordered]@{
        Name = [Environment]::MachineName
        # Who is at the console: this host has one session, and whoever started it is its user.
        UserName = "$([Environment]::MachineName)\$([Environment]::UserName)"
        Model = 'Wine'
    })
}

function Test-Filter {
    # WQL as far as NAME = VALUE, joined by AND.
    param($Instance, [string]$Filter)
    foreach ($term in $Filter -split '\s+AND\s+') {
        if ($term -notmatch "^\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\d+))\s*$") {
            throw [InvalidOperationException]::new("Invalid query: $Filter")
        }
        $property = $Instance.PSObject.Properties[$Matches[1]]
        if (-not $property) {
            throw [InvalidOperationException]::new("Invalid query: $Filter")
        }
        $wanted = if ($Matches.ContainsKey(3)) { $Matches[3] } else { $Matches[2] -replace '\\(.)', '$1' }
        if ([string]$property.Value -ne $wanted) {
            return $false
        }
    }
    $true
}

function Get-CimInstance {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true, Position = 0)][string]$ClassName,
        [string]$Filter,
        [Alias('SelectProperties')][string[]]$Property,
        [string]$Namespace = 'root/cimv2',
        [Alias('OT')][uint32]$OperationTimeoutSec,
        [switch]$KeyOnly
    )
    $readers = @{
        Win32_Process = { Get-ProcessInstance }
        Win32_OperatingSystem = { Get-OperatingSystemInstance }
        Win32_LogicalDisk = { Get-LogicalDiskInstance }
        Win32_Service = { Get-ServiceInstance }
        Win32_ComputerSystem = { Get-ComputerSystemInstance }
    }
    if (-not $readers.ContainsKey($ClassName) -or $Namespace -notmatch '^root[/\\]cimv2$') {
        Write-Error -Message 'Invalid class ' -Category ObjectNotFound -ErrorId 'HRESULT 0x80041010' -TargetObject $ClassName
        return
    }
    & $readers[$ClassName] | Where-Object { -not $Filter -or (Test-Filter -Instance $_ -Filter $Filter) }
}

Export-ModuleMember -Function Get-CimInstance
