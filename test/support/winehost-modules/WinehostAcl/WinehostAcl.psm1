# Get-Acl and Set-Acl that keep what was set, since Wine's Set-Acl says yes and does nothing. Kept beside the file system, by
# what a file keeps when it is renamed; nothing is enforced. A path whose list was never set is answered by the cmdlet itself.
Import-Module -Name "$PSScriptRoot\..\WinehostNative"
$folder = Join-Path -Path $env:ProgramData -ChildPath 'winehost\acls'

function Get-SideFile {
    param([string]$Path)
    $full = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
    Join-Path -Path $folder -ChildPath ([Winehost.Native]::FileId($full))
}

function Get-Acl {
    [CmdletBinding()]
    param(
        [Parameter(Position = 0, ParameterSetName = 'ByPath', ValueFromPipelineByPropertyName = $true)][string[]]$Path,
        [Parameter(Mandatory = $true, ParameterSetName = 'ByLiteralPath', ValueFromPipelineByPropertyName = $true)]
        [Alias('PSPath')][string[]]$LiteralPath,
        [switch]$Audit,
        [switch]$AllCentralAccessPolicies
    )
    process {
        foreach ($one in @($Path) + @($LiteralPath) | Where-Object { $_ }) {
            if (-not (Test-Path -LiteralPath $one)) {
                Write-Error -Message "Cannot find path '$one' because it does not exist." -Category ObjectNotFound -TargetObject $one
                continue
            }
            $kept = Get-SideFile -Path $one
            if (-not (Test-Path -LiteralPath $kept)) {
                Microsoft.PowerShell.Security\Get-Acl -LiteralPath $one
                continue
            }
            $kind = if (Test-Path -LiteralPath $one -PathType Container) { 'Directory' } else { 'File' }
            $acl = New-Object -TypeName "Security.AccessControl.${kind}Security"
            $acl.SetSecurityDescriptorSddlForm([IO.File]::ReadAllText($kept))
            # The cmdlet's objects have this as a property of PowerShell's own.
            $acl | Add-Member -MemberType ScriptProperty -Name Access -Force -PassThru -Value {
                $this.GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier])
            }
        }
    }
}

function Set-Acl {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'ByPath', ValueFromPipelineByPropertyName = $true)][string[]]$Path,
        [Parameter(Mandatory = $true, ParameterSetName = 'ByLiteralPath', ValueFromPipelineByPropertyName = $true)]
        [Alias('PSPath')][string[]]$LiteralPath,
        [Parameter(Mandatory = $true, Position = 1, ValueFromPipeline = $true)]
        [Security.AccessControl.FileSystemSecurity]$AclObject,
        [switch]$Passthru
    )
    process {
        New-Item -ItemType Directory -Path $folder -Force | Out-Null
        foreach ($one in @($Path) + @($LiteralPath) | Where-Object { $_ }) {
            [IO.File]::WriteAllText((Get-SideFile -Path $one), $AclObject.GetSecurityDescriptorSddlForm('All'))
        }
        if ($Passthru) {
            $AclObject
        }
    }
}

Export-ModuleMember -Function Get-Acl, Set-Acl
