# What kind of machine this is; what can't be told is '' or 0. Changes nothing.
# Argument: {}
param([string]$Argument)

# Part of an answer that may fail, or find nothing, without costing the rest.
function Get-Part {
    param([scriptblock]$Query)
    try {
        @(& $Query)[0]
    } catch {
        # Not nothing: [string] of nothing is $null, [string] of $null is ''.
        $null
    }
}

function Get-RegistryText {
    param([string]$Key, [string]$Name)
    $properties = Get-Part -Query { Get-ItemProperty -LiteralPath $Key -ErrorAction Stop }
    if ($properties -and $properties.PSObject.Properties[$Name]) {
        [string]$properties.$Name
    } else {
        ''
    }
}

$os = Get-Part -Query { Get-CimInstance -ClassName Win32_OperatingSystem -ErrorAction Stop }
$disk = Get-Part -Query { Get-CimInstance -ClassName Win32_LogicalDisk -Filter "DeviceID='C:'" -ErrorAction Stop }
$sshdVersion = Get-Part -Query {
    $sshd = Get-CimInstance -ClassName Win32_Service -Filter "Name='sshd'" -ErrorAction Stop
    # The path may be quoted, and arguments may follow it.
    if ([string]$sshd.PathName -cmatch '^\s*(?:"([^"]+)"|(.+?\.exe)(?:\s|\z)|(.+))') {
        $path = [string]@($Matches[1], $Matches[2], $Matches[3] | Where-Object { $_ })[0]
        [string](Get-Item -LiteralPath $path -ErrorAction Stop).VersionInfo.ProductVersion
    }
}
$identity = Get-Part -Query { [Security.Principal.WindowsIdentity]::GetCurrent() }
$isAdmin = Get-Part -Query {
    $principal = New-Object -TypeName Security.Principal.WindowsPrincipal -ArgumentList $identity
    $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}
$codePage = 0
[void][int]::TryParse(
    (Get-RegistryText -Key 'HKLM:\SYSTEM\CurrentControlSet\Control\Nls\CodePage' -Name 'OEMCP'),
    [Globalization.NumberStyles]::None, [Globalization.CultureInfo]::InvariantCulture, [ref]$codePage)
# What .NET knows stands in where CIM doesn't answer.
$version = [Environment]::OSVersion.Version
$osVersion = [string]$os.Version
if (-not $osVersion) {
    $osVersion = "$($version.Major).$($version.Minor).$($version.Build)"
}
$build = 0
if (-not [int]::TryParse(
    [string]$os.BuildNumber, [Globalization.NumberStyles]::None, [Globalization.CultureInfo]::InvariantCulture, [ref]$build)) {
    $build = $version.Build
}
$free = [long]$disk.FreeSpace
$size = [long]$disk.Size
if ($size -eq 0) {
    $drive = Get-Part -Query { New-Object -TypeName IO.DriveInfo -ArgumentList 'C:' }
    $free = [long](Get-Part -Query { $drive.AvailableFreeSpace })
    $size = [long](Get-Part -Query { $drive.TotalSize })
}
$now = [DateTime]::UtcNow
$uptime = 0
if ($os.LastBootUpTime) {
    $uptime = [long]($now - $os.LastBootUpTime.ToUniversalTime()).TotalSeconds
}

[ordered]@{
    hostname = [Environment]::MachineName
    user = [string]$identity.Name
    is_admin = [bool]$isAdmin
    os_caption = [string]$os.Caption
    os_version = $osVersion
    os_build = $build
    architecture = [string]$env:PROCESSOR_ARCHITECTURE
    powershell_version = [string]$PSVersionTable.PSVersion
    openssh_version = [string]$sshdVersion
    default_shell = [string](Get-RegistryText -Key 'HKLM:\SOFTWARE\OpenSSH' -Name 'DefaultShell')
    oem_code_page = $codePage
    uptime_s = $uptime
    utc_now = $now.ToString('yyyy-MM-ddTHH:mm:ss.fffZ', [Globalization.CultureInfo]::InvariantCulture)
    disk_free_bytes = $free
    disk_size_bytes = $size
} | ConvertTo-Json -Compress
