# The firewall's rules. A rule in the state: {"Name", "DisplayName", "Enabled", "Direction", "Action", "Profile",
# "Protocol", "LocalPort": [], "RemoteAddress": [], "Program", "Package", "Service"}; what is left out is as on Windows.

function ConvertTo-Rule {
    param($Fields)
    $rule = [ordered]@{
        Name = [string]$Fields['Name']; DisplayName = [string]$Fields['DisplayName']; Enabled = 'True'; Direction = 'Inbound'
        Action = 'Allow'; Profile = 'Any'; Protocol = 'Any'; LocalPort = @('Any'); RemoteAddress = @('Any')
        Program = 'Any'; Package = $null; Service = 'Any'
    }
    foreach ($key in $Fields.Keys) { $rule[$key] = $Fields[$key] }
    if (-not $rule.Name) { $rule.Name = "{$([guid]::NewGuid())}" }
    $rule.LocalPort = @($rule.LocalPort)
    $rule.RemoteAddress = @($rule.RemoteAddress | ForEach-Object { ConvertTo-DottedMask -Address $_ })
    $rule
}

# Windows gives a network back with its mask in dotted form, and a single address without one.
function ConvertTo-DottedMask {
    param([string]$Address)
    if ($Address -notmatch '^(\d+\.\d+\.\d+\.\d+)/(\d{1,2})$') { return $Address }
    $bits = [int]$Matches[2]
    if ($bits -eq 32) { return $Matches[1] }
    $mask = foreach ($index in 0..3) {
        $ones = [Math]::Max(0, [Math]::Min(8, $bits - 8 * $index))
        256 - [int][Math]::Pow(2, 8 - $ones)
    }
    "$($Matches[1])/$($mask -join '.')"
}

function Get-Rules {
    param($State)
    $index = 0
    foreach ($fields in (Get-Items -State $State -Name 'rules')) {
        $index++
        if (-not $fields['Name']) { $fields['Name'] = "{stand-in-$index}" }
        ConvertTo-Rule -Fields $fields
    }
}

function New-RuleObject {
    param($Rule)
    New-Cim -Class 'MSFT_NetFirewallRule' -Fields ([ordered]@{
        Name = $Rule.Name; InstanceID = $Rule.Name; DisplayName = $Rule.DisplayName; Enabled = [StandIn.Enabled]$Rule.Enabled
        Direction = [StandIn.Direction]$Rule.Direction; Action = [StandIn.RuleAction]$Rule.Action
        Profile = [StandIn.Profile]$Rule.Profile
    })
}

function Select-Rule {
    param($State, $Bound, $Cmdlet)
    $rules = @(Get-Rules -State $State)
    foreach ($key in 'DisplayName', 'Name') {
        if ($Bound.ContainsKey($key)) {
            $rules = @($rules | Where-Object { Test-Name -Patterns $Bound[$key] -Value $_.$key })
            if ($rules.Count -eq 0) {
                Write-NotFound -Cmdlet $Cmdlet -Class 'MSFT_NetFirewallRule' -Property $key -Patterns $Bound[$key]
            }
        }
    }
    foreach ($key in 'Enabled', 'Direction', 'Action') {
        if ($Bound.ContainsKey($key)) { $rules = @($rules | Where-Object { $Bound[$key] -contains $_.$key }) }
    }
    $rules
}

# The filters of one rule, or of all.
function Select-Filter {
    param($State, $Associated)
    foreach ($rule in (Get-Rules -State $State)) {
        if (-not $Associated -or $rule.Name -eq $Associated.InstanceID) { $rule }
    }
}

function Get-NetFirewallRule {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'Get-NetFirewallRule') { return }
        $associated = @($PSBoundParameters.Keys | Where-Object { $_ -like 'AssociatedNetFirewall*' })
        if ($associated.Count -gt 0) {
            $id = $PSBoundParameters[$associated[0]].InstanceID
            Get-Rules -State $machine | Where-Object { $_.Name -eq $id } | ForEach-Object { New-RuleObject -Rule $_ }
            return
        }
        Select-Rule -State $machine -Bound $PSBoundParameters -Cmdlet $PSCmdlet | ForEach-Object { New-RuleObject -Rule $_ }
    }
}

function Get-NetFirewallPortFilter {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'Get-NetFirewallPortFilter') { return }
        foreach ($rule in (Select-Filter -State $machine -Associated $AssociatedNetFirewallRule)) {
            if ($Protocol -and -not (Test-Name -Patterns $Protocol -Value $rule.Protocol)) { continue }
            New-Cim -Class 'MSFT_NetProtocolPortFilter' -Fields ([ordered]@{
                InstanceID = $rule.Name; Protocol = $rule.Protocol; LocalPort = Get-One -Value $rule.LocalPort
                RemotePort = 'Any'; IcmpType = 'Any'; DynamicTarget = 'Any'
            })
        }
    }
}

function Get-NetFirewallAddressFilter {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'Get-NetFirewallAddressFilter') { return }
        foreach ($rule in (Select-Filter -State $machine -Associated $AssociatedNetFirewallRule)) {
            New-Cim -Class 'MSFT_NetAddressFilter' -Fields ([ordered]@{
                InstanceID = $rule.Name; LocalAddress = 'Any'; RemoteAddress = Get-One -Value $rule.RemoteAddress
            })
        }
    }
}

function Get-NetFirewallApplicationFilter {
    process {
        $machine = Read-State
        foreach ($rule in (Select-Filter -State $machine -Associated $AssociatedNetFirewallRule)) {
            New-Cim -Class 'MSFT_NetApplicationFilter' -Fields ([ordered]@{
                InstanceID = $rule.Name; Program = $rule.Program; Package = $rule.Package
            })
        }
    }
}

function Get-NetFirewallServiceFilter {
    process {
        $machine = Read-State
        foreach ($rule in (Select-Filter -State $machine -Associated $AssociatedNetFirewallRule)) {
            New-Cim -Class 'MSFT_NetServiceFilter' -Fields ([ordered]@{ InstanceID = $rule.Name; Service = $rule.Service })
        }
    }
}

function New-NetFirewallRule {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'New-NetFirewallRule') { return }
        foreach ($port in $LocalPort) {
            if ($port -notmatch '^(\d{1,5}(-\d{1,5})?|Any|RPC|RPCEPMap|IPHTTPSIn|IPHTTPSOut|PlayToDiscovery|Teredo)$') {
                Write-Fault -Cmdlet $PSCmdlet -Id 'HRESULT 0x80070057' -Category InvalidArgument -Message 'The port is invalid.'
                return
            }
        }
        foreach ($address in $RemoteAddress) {
            if ($address -notmatch '^([\d.]+(/[\d.]+)?(-[\d.]+)?|[0-9a-f]*:[0-9a-f:]*(/\d+)?(-[0-9a-f:]+)?|Any|LocalSubnet[46]?|DNS|DHCP|WINS|DefaultGateway|Internet|Intranet)$') {
                $words = 'The address is invalid. Addresses may be specified as IP addresses, ranges, or subnets.'
                Write-Fault -Cmdlet $PSCmdlet -Id 'HRESULT 0x80070057' -Category InvalidArgument -Message $words
                return
            }
        }
        $fields = @{}
        foreach ($key in 'DisplayName', 'Name', 'Enabled', 'Direction', 'Action', 'Profile', 'Protocol', 'LocalPort', 'RemoteAddress', 'Program', 'Service') {
            if ($PSBoundParameters.ContainsKey($key)) { $fields[$key] = $PSBoundParameters[$key] }
        }
        $rule = ConvertTo-Rule -Fields $fields
        $machine['rules'] = @(Get-Items -State $machine -Name 'rules') + @($rule)
        Write-State -State $machine -Command 'New-NetFirewallRule' -Detail $rule
        New-RuleObject -Rule $rule
    }
}

function Remove-NetFirewallRule {
    process {
        $machine = Read-State
        if (Test-Fault -State $machine -Cmdlet $PSCmdlet -Name 'Remove-NetFirewallRule') { return }
        $gone = if ($InputObject) { @($InputObject.InstanceID) } else {
            @(Select-Rule -State $machine -Bound $PSBoundParameters -Cmdlet $PSCmdlet | ForEach-Object { $_.Name })
        }
        $machine['rules'] = @(Get-Rules -State $machine | Where-Object { $gone -notcontains $_.Name })
        Write-State -State $machine -Command 'Remove-NetFirewallRule' -Detail @($gone)
    }
}
