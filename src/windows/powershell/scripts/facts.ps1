# What kind of machine this is. Changes nothing.
# Argument: {}
param([string]$Argument)

$os = Get-CimInstance -ClassName Win32_OperatingSystem
$disk = Get-CimInstance -ClassName Win32_LogicalDisk -Filter "DeviceID='C:'"
$openssh = Get-ItemProperty -Path 'HKLM:\SOFTWARE\OpenSSH' -ErrorAction SilentlyContinue
$defaultShell = ''
if ($openssh -and $openssh.PSObject.Properties['DefaultShell']) {
    $defaultShell = [string]$openssh.DefaultShell
}
$sshd = Get-CimInstance -ClassName Win32_Service -Filter "Name='sshd'"
$sshdVersion = ''
if ($sshd) {
    $sshdPath = $sshd.PathName.Trim('"')
    if (Test-Path -LiteralPath $sshdPath) {
        $sshdVersion = [string](Get-Item -LiteralPath $sshdPath).VersionInfo.ProductVersion
    }
}
$identity = [Security.Principal.WindowsIdentity]::GetCurrent()
$principal = New-Object -TypeName Security.Principal.WindowsPrincipal -ArgumentList $identity
$now = [DateTime]::UtcNow

[ordered]@{
    hostname = [Environment]::MachineName
    user = $identity.Name
    is_admin = $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
    os_caption = [string]$os.Caption
    os_version = [string]$os.Version
    os_build = [int]$os.BuildNumber
    architecture = [string]$env:PROCESSOR_ARCHITECTURE
    powershell_version = $PSVersionTable.PSVersion.ToString()
    openssh_version = $sshdVersion
    default_shell = $defaultShell
    uptime_s = [long]($now - $os.LastBootUpTime.ToUniversalTime()).TotalSeconds
    utc_now = $now.ToString('yyyy-MM-ddTHH:mm:ss.fffZ')
    disk_free_bytes = [long]$disk.FreeSpace
    disk_size_bytes = [long]$disk.Size
} | ConvertTo-Json -Compress
