# Processes, services, connections, CIM classes, the registry, files' access lists, capabilities and power settings.
# In the state: "processes", "connections" and "services" are lists, "cim" has a list for each other class, "registry" and
# "acl" a map by path, "capabilities" a map by name, "power" a map by setting of {"ac", "dc"} in seconds.

function Get-CimInstance {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name "Get-CimInstance $ClassName") { return }
        $all = switch ($ClassName) {
            'Win32_Process' { Get-Items -State $machine -Name 'processes' }
            'Win32_Service' { Get-Items -State $machine -Name 'services' }
            default {
                if (-not $machine['cim'] -or -not $machine['cim'].ContainsKey($ClassName)) {
                    Write-Fault -Cmdlet $PSCmdlet -Id 'HRESULT 0x80041010' -Category MetadataError -Message 'Invalid class '
                    return
                }
                Get-Items -State $machine['cim'] -Name $ClassName
            }
        }
        if ($Filter) {
            if ($Filter -notmatch "^(\w+)\s*=\s*(?:'(.*)'|(\d+))$") {
                Write-Fault -Cmdlet $PSCmdlet -Id 'HRESULT 0x80041017' -Category InvalidArgument -Message 'Invalid query '
                return
            }
            $key = $Matches[1]
            $wanted = if ($Matches[3]) { $Matches[3] } else { $Matches[2] }
            $all = @($all | Where-Object { [string]$_[$key] -eq $wanted })
        }
        foreach ($fields in $all) {
            $shown = [ordered]@{}
            # What isn't asked for comes back empty.
            foreach ($key in $fields.Keys) { $shown[$key] = if (-not $Property -or $Property -contains $key) { $fields[$key] } }
            foreach ($key in 'ProcessId', 'ParentProcessId', 'SessionId') {
                if ($null -ne $shown[$key]) { $shown[$key] = [uint32]$shown[$key] }
            }
            New-Cim -Class $ClassName -Fields $shown
        }
    }
}

function Stop-Process {
    process {
        foreach ($one in $Id) {
            $machine = Read-State
            if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name "Stop-Process $one") { continue }
            $found = @(Get-Items -State $machine -Name 'processes' | Where-Object { $_['ProcessId'] -eq $one })
            if ($found.Count -eq 0) {
                Write-Fault -Cmdlet $PSCmdlet -Id 'NoProcessFoundForGivenId' -Category ObjectNotFound -Message "Cannot find a process with the process identifier $one."
                continue
            }
            $machine['processes'] = @(Get-Items -State $machine -Name 'processes' | Where-Object { $_['ProcessId'] -ne $one })
            Write-State -State $machine -Command 'Stop-Process' -Detail $one
        }
    }
}

function Get-NetTCPConnection {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'Get-NetTCPConnection') { return }
        $wanted = $PSBoundParameters
        $found = @(Get-Items -State $machine -Name 'connections' | Where-Object {
            (-not $wanted.ContainsKey('State') -or $wanted['State'] -contains $_['State']) -and
            (-not $wanted.ContainsKey('LocalPort') -or $wanted['LocalPort'] -contains $_['LocalPort'])
        })
        if ($found.Count -eq 0) {
            Write-Fault -Cmdlet $PSCmdlet -Id 'CmdletizationQuery_NotFound' -Category ObjectNotFound -Message 'No matching MSFT_NetTCPConnection objects found by CIM query for enumerating instances.'
            return
        }
        foreach ($one in $found) {
            New-Cim -Class 'MSFT_NetTCPConnection' -Fields ([ordered]@{
                LocalAddress = $one['LocalAddress']; LocalPort = [uint16]$one['LocalPort']; RemoteAddress = '0.0.0.0'
                RemotePort = [uint16]0; State = [StandIn.TcpState]$one['State']; OwningProcess = [uint32]$one['OwningProcess']
            })
        }
    }
}

function Get-Service {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'Get-Service') { return }
        foreach ($pattern in $Name) {
            $found = @(Get-Items -State $machine -Name 'services' | Where-Object { $_['Name'] -like $pattern })
            if ($found.Count -eq 0 -and -not [WildcardPattern]::ContainsWildcardCharacters($pattern)) {
                Write-Fault -Cmdlet $PSCmdlet -Id 'NoServiceFoundForGivenName' -Category ObjectNotFound -Message "Cannot find any service with service name '$pattern'."
            }
            foreach ($service in $found) {
                [pscustomobject]@{
                    Name = $service['Name']; Status = [StandIn.ServiceStatus]$service['Status']
                    StartType = [StandIn.StartMode]$service['StartType']
                }
            }
        }
    }
}

function Set-Service {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'Set-Service') { return }
        foreach ($service in (Get-Items -State $machine -Name 'services' | Where-Object { $_['Name'] -eq $Name })) {
            $service['StartType'] = $StartupType
        }
        Write-State -State $machine -Command 'Set-Service' -Detail "$Name $StartupType"
    }
}

function Start-Service {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'Start-Service') { return }
        foreach ($service in (Get-Items -State $machine -Name 'services' | Where-Object { $Name -contains $_['Name'] })) {
            $service['Status'] = 'Running'
        }
        Write-State -State $machine -Command 'Start-Service' -Detail @($Name)
    }
}

function Add-WindowsCapability {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'Add-WindowsCapability') { return }
        $machine['services'] = @(Get-Items -State $machine -Name 'services') + @(@{ Name = 'sshd'; Status = 'Stopped'; StartType = 'Manual' })
        Write-State -State $machine -Command 'Add-WindowsCapability' -Detail $Name
        [pscustomobject]@{ Path = ''; Online = $true; RestartNeeded = $false }
    }
}

function Get-ItemProperty {
    process {
        $paths = @(@($LiteralPath) + @($Path) | Where-Object { $_ })
        if ($paths[0] -notlike 'HKLM:*') { return Microsoft.PowerShell.Management\Get-ItemProperty @PSBoundParameters }
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name "Get-ItemProperty $($paths[0])") { return }
        $values = $machine['registry'] ? $machine['registry'][$paths[0]] : $null
        if ($null -eq $values) {
            Write-Fault -Cmdlet $PSCmdlet -Id 'PathNotFound' -Category ObjectNotFound -Message "Cannot find path '$($paths[0])' because it does not exist."
            return
        }
        [pscustomobject]$values
    }
}

function Get-ChildItem {
    process {
        if (Test-Fault -State (Read-State) -Cmdlet $PSCmdlet -Name 'Get-ChildItem') { return }
        Microsoft.PowerShell.Management\Get-ChildItem @PSBoundParameters
    }
}

function Get-Item {
    process {
        if (Test-Fault -State (Read-State) -Cmdlet $PSCmdlet -Name 'Get-Item') { return }
        Microsoft.PowerShell.Management\Get-Item @PSBoundParameters
    }
}

function Get-Acl {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'Get-Acl') { return }
        $one = [string](@($LiteralPath) + @($Path) | Where-Object { $_ } | Select-Object -First 1)
        if (-not (Test-Path -LiteralPath $one)) {
            Write-Fault -Cmdlet $PSCmdlet -Id 'GetAcl_PathNotFound' -Category ObjectNotFound -Message "Cannot find path '$one' because it does not exist."
            return
        }
        ConvertTo-Security -Fields (Get-AccessList -State $machine -Path $one)
    }
}

# What a file inherits below ProgramData unless the state says otherwise.
function Get-AccessList {
    param($State, [string]$Path)
    if ($State['acl'] -and $State['acl'][$Path]) { return $State['acl'][$Path] }
    @{
        protected = $false; owner = 'S-1-5-32-544'
        entries = @(foreach ($sid in 'S-1-5-18', 'S-1-5-32-544', 'S-1-5-32-545') { @{ sid = $sid; type = 'Allow'; inherited = $true } })
    }
}

function ConvertTo-Security {
    param($Fields)
    $security = [StandIn.FileSecurity]::new()
    $security.SetAccessRuleProtection([bool]$Fields['protected'], $false)
    $security.SetOwner([StandIn.SecurityIdentifier]::new($Fields['owner']))
    foreach ($entry in $Fields['entries']) {
        $rule = [StandIn.FileSystemAccessRule]::new([StandIn.SecurityIdentifier]::new($entry['sid']), 'FullControl', [string]$entry['type'])
        $rule.IsInherited = [bool]$entry['inherited']
        $security.AddAccessRule($rule)
    }
    $security
}

function Write-AccessList {
    param($State, [string]$Path, $List, [string]$Command)
    if (-not $State['acl']) { $State['acl'] = @{} }
    $State['acl'][$Path] = $List
    Write-State -State $State -Command $Command -Detail $Path
}

function Set-Acl {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'Set-Acl') { return }
        $one = [string](@($LiteralPath) + @($Path) | Where-Object { $_ } | Select-Object -First 1)
        $owner = if ($AclObject.Owner) { $AclObject.Owner.Value } else { (Get-AccessList -State $machine -Path $one)['owner'] }
        $entries = @(foreach ($rule in $AclObject.Access) { @{ sid = $rule.IdentityReference.Value; type = $rule.AccessControlType; inherited = $false } })
        $list = @{ protected = $AclObject.AreAccessRulesProtected; owner = $owner; entries = $entries }
        Write-AccessList -State $machine -Path $one -List $list -Command 'Set-Acl'
    }
}

# A file takes its access list along.
function Move-Item {
    process {
        $machine = Read-State
        $one = [string](@($LiteralPath) + @($Path) | Where-Object { $_ } | Select-Object -First 1)
        Microsoft.PowerShell.Management\Move-Item @PSBoundParameters
        if ($machine['acl'] -and $machine['acl'][$one]) {
            $list = $machine['acl'][$one]
            $machine['acl'].Remove($one)
            Write-AccessList -State $machine -Path $Destination -List $list -Command 'Move-Item'
        }
    }
}

# icacls FILE [/inheritance:r] [/grant[:r] *SID:F]... [/remove[:g|:d] *SID]... [/setowner *SID]
function icacls.exe {
    $machine = Read-State
    $words = @($args)
    $list = Get-AccessList -State $machine -Path $words[0]
    $entries = @($list['entries'])
    for ($index = 1; $index -lt $words.Count; $index++) {
        $sid = ([string]$words[$index + 1]).TrimStart('*').Split(':')[0]
        switch -CaseSensitive ($words[$index]) {
            '/inheritance:r' { $list['protected'] = $true; $entries = @($entries | Where-Object { -not $_['inherited'] }) }
            { $_ -in '/grant', '/grant:r' } {
                $entries = @($entries | Where-Object { $_['sid'] -ne $sid -or $_['inherited'] -or $_['type'] -eq 'Deny' }) + @(@{ sid = $sid; type = 'Allow'; inherited = $false })
                $index++
            }
            { $_ -in '/remove', '/remove:g', '/remove:d' } {
                $kind = @{ '/remove:g' = 'Allow'; '/remove:d' = 'Deny' }[$_]
                $entries = @($entries | Where-Object { $_['sid'] -ne $sid -or $_['inherited'] -or ($kind -and $_['type'] -ne $kind) })
                $index++
            }
            '/setowner' { $list['owner'] = $sid; $index++ }
            default {
                $global:LASTEXITCODE = 87
                return "Invalid parameter `"$_`""
            }
        }
    }
    $global:LASTEXITCODE = [int]$machine['icacls_exit_code']
    if ($global:LASTEXITCODE -ne 0) { return 'Access is denied.' }
    $list['entries'] = $entries
    Write-AccessList -State $machine -Path $words[0] -List $list -Command 'icacls'
    "processed file: $($words[0])"
}

# powercfg /query SCHEME_CURRENT SUB SETTING, and /change NAME MINUTES. The words are Windows' own language's.
function powercfg.exe {
    $machine = Read-State
    $names = @{ 'standby-timeout-ac' = 'STANDBYIDLE'; 'hibernate-timeout-ac' = 'HIBERNATEIDLE'; 'monitor-timeout-ac' = 'VIDEOIDLE' }
    $global:LASTEXITCODE = [int]$machine['powercfg_exit_code']
    if ($global:LASTEXITCODE -ne 0) { return 'Zugriff verweigert' }
    if ($args[0] -eq '/query') {
        $setting = $machine['power'] ? $machine['power'][[string]$args[3]] : $null
        'GUID des Energieschemas: 381b4222-f694-41f0-9685-ff5bb260df2e  (Ausbalanciert)'
        if ($setting) {
            '      Minimal mögliche Einstellung: 0x00000000'
            '      Maximal mögliche Einstellung: 0xffffffff'
            '      Mögliche Einstellungen: Inkrement: 0x00000001'
            "    Index der aktuellen Wechselstromeinstellung: 0x$($setting['ac'].ToString('x8'))"
            "    Index der aktuellen Gleichstromeinstellung: 0x$($setting['dc'].ToString('x8'))"
        }
        return ''
    }
    if ($args[0] -ne '/change' -or -not $names[$args[1]]) {
        $global:LASTEXITCODE = 1
        return 'Ungültige Parameter'
    }
    $name = $names[$args[1]]
    if ($machine['power'] -and $machine['power'][$name] -and -not $machine['power_is_stuck']) { $machine['power'][$name]['ac'] = 60 * [int]$args[2] }
    Write-State -State $machine -Command 'powercfg /change' -Detail "$($args[1]) $($args[2])"
}
