# Windows' firewall rules, kept as files and never enforced. A rule has one port filter and one address filter, as on
# Windows; what is written comes back as Windows gives it back. Parameters are Microsoft's, as far as scripts use them.
$folder = Join-Path -Path $env:ProgramData -ChildPath 'winehost\firewall'
$namespace = 'Microsoft.Management.Infrastructure.CimInstance#root/standardcimv2'

function Save-Rule {
    param($Record)
    New-Item -ItemType Directory -Path $folder -Force | Out-Null
    $file = Join-Path -Path $folder -ChildPath ([Convert]::ToHexString([Text.Encoding]::UTF8.GetBytes($Record.Name)) + '.xml')
    Export-Clixml -LiteralPath "$file.$PID" -InputObject $Record -Depth 4
    Move-Item -LiteralPath "$file.$PID" -Destination $file -Force
}

function Read-Rules {
    foreach ($file in Get-ChildItem -LiteralPath $folder -Filter '*.xml' -ErrorAction Ignore) {
        Import-Clixml -LiteralPath $file.FullName
    }
}

function ConvertTo-Rule {
    param($Record)
    [pscustomobject]@{
        PSTypeName = "$namespace/MSFT_NetFirewallRule"
        Name = $Record.Name
        InstanceID = $Record.Name
        DisplayName = $Record.DisplayName
        Description = $Record.Description
        DisplayGroup = $Record.Group
        Group = $Record.Group
        Enabled = $Record.Enabled
        Profile = $Record.Profile
        Direction = $Record.Direction
        Action = $Record.Action
        EdgeTraversalPolicy = 'Block'
        PrimaryStatus = 'OK'
        PolicyStoreSource = 'PersistentStore'
    }
}

function ConvertTo-Mask {
    # What Windows makes of an address: 10.0.0.0/8 is 10.0.0.0/255.0.0.0 then, and a /32 is the address alone.
    param([string]$Address)
    $keywords = 'Any', 'LocalSubnet', 'DNS', 'DHCP', 'WINS', 'DefaultGateway', 'Internet', 'Intranet'
    $parsed = $null
    if ($keywords -contains $Address) {
        return $Address
    }
    $first, $rest = $Address -split '[/-]', 2
    if (-not [Net.IPAddress]::TryParse($first, [ref]$parsed)) {
        throw [ArgumentException]::new('The address is invalid. Addresses may be specified as IP addresses, ranges, or subnets.')
    }
    if ($Address -notmatch '^([\d.]+)/(\d{1,2})$' -or [int]$Matches[2] -gt 32) {
        return $Address
    }
    if ($Matches[2] -eq '32') {
        return $first
    }
    $bits = [uint64]4294967296 - [uint64][Math]::Pow(2, 32 - [int]$Matches[2])
    $mask = foreach ($shift in 24, 16, 8, 0) { ($bits -shr $shift) -band 255 }
    "$first/$($mask -join '.')"
}

function ConvertTo-Ports {
    param([string[]]$Port, [string]$Protocol)
    foreach ($one in $Port) {
        if ($one -notmatch '^(\d{1,5}(-\d{1,5})?|Any|RPC|RPCEPMap|IPHTTPSIn|Teredo|PlayToDiscovery)$') {
            throw [ArgumentException]::new('The port is invalid.')
        }
        if ($one -ne 'Any' -and 'TCP', 'UDP', '6', '17' -notcontains $Protocol) {
            throw [ArgumentException]::new('A port can be given for TCP and UDP only.')
        }
        $one
    }
}

function Edit-Record {
    # Takes over what a cmdlet was given. Everything is checked before anything is kept.
    param($Record, [Collections.Generic.Dictionary[string, object]]$Given)
    $protocols = @{ '6' = 'TCP'; '17' = 'UDP'; '1' = 'ICMPv4'; '58' = 'ICMPv6' }
    foreach ($name in 'Description', 'Group', 'Enabled', 'Direction', 'Action', 'Program', 'Service') {
        if ($Given.ContainsKey($name)) {
            $Record.$name = [string]$Given[$name]
        }
    }
    if ($Given.ContainsKey('Protocol')) {
        $protocol = [string]$Given.Protocol
        $Record.Protocol = if ($protocols.ContainsKey($protocol)) { $protocols[$protocol] } else { $protocol }
    }
    if ($Given.ContainsKey('Profile')) {
        $Record.Profile = @($Given.Profile) -join ', '
    }
    foreach ($name in 'LocalPort', 'RemotePort') {
        if ($Given.ContainsKey($name)) {
            $Record.$name = @(ConvertTo-Ports -Port $Given[$name] -Protocol $Record.Protocol)
        }
    }
    foreach ($name in 'LocalAddress', 'RemoteAddress') {
        if ($Given.ContainsKey($name)) {
            $Record.$name = @($Given[$name] | ForEach-Object { ConvertTo-Mask -Address $_ })
        }
    }
}

function New-NetFirewallRule {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param(
        [Parameter(Mandatory = $true)][string]$DisplayName,
        [string]$Name,
        [string]$Description,
        [string]$Group,
        [ValidateSet('True', 'False')][string]$Enabled = 'True',
        [ValidateSet('Any', 'Domain', 'Private', 'Public', 'NotApplicable')][string[]]$Profile = 'Any',
        [ValidateSet('Inbound', 'Outbound')][string]$Direction = 'Inbound',
        [ValidateSet('NotConfigured', 'Allow', 'Block')][string]$Action = 'Allow',
        [string]$Protocol = 'Any',
        [string[]]$LocalPort,
        [string[]]$RemotePort,
        [string[]]$LocalAddress,
        [string[]]$RemoteAddress,
        [string]$Program,
        [string]$Service
    )
    if (-not $Name) {
        $Name = '{' + [guid]::NewGuid().ToString().ToUpperInvariant() + '}'
    }
    if (Read-Rules | Where-Object { $_.Name -eq $Name }) {
        throw [InvalidOperationException]::new('Cannot create a file when that file already exists.')
    }
    $record = [pscustomobject]@{
        Name = $Name; DisplayName = $DisplayName; Description = ''; Group = ''; Enabled = $Enabled; Profile = 'Any'
        Direction = $Direction; Action = $Action; Protocol = $Protocol; LocalPort = @('Any'); RemotePort = @('Any')
        LocalAddress = @('Any'); RemoteAddress = @('Any'); Program = ''; Service = ''
    }
    Edit-Record -Record $record -Given $PSBoundParameters
    if ($PSCmdlet.ShouldProcess($DisplayName)) {
        Save-Rule -Record $record
        ConvertTo-Rule -Record $record
    }
}

function Get-NetFirewallRule {
    [CmdletBinding(DefaultParameterSetName = 'GetAll')]
    param(
        [Parameter(ParameterSetName = 'GetAll')][switch]$All,
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'ByName')][Alias('ID')][string[]]$Name,
        [Parameter(Mandatory = $true, ParameterSetName = 'ByDisplayName')][string[]]$DisplayName,
        [Parameter(ParameterSetName = 'ByQuery')][ValidateSet('True', 'False')][string[]]$Enabled,
        [Parameter(ParameterSetName = 'ByQuery')][ValidateSet('Inbound', 'Outbound')][string[]]$Direction,
        [Parameter(ParameterSetName = 'ByQuery')][ValidateSet('NotConfigured', 'Allow', 'Block')][string[]]$Action,
        [Parameter(ParameterSetName = 'ByQuery')][string[]]$Group,
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ParameterSetName = 'ByAssociatedNetFirewallPortFilter')]
        [PSTypeName('Microsoft.Management.Infrastructure.CimInstance#root/standardcimv2/MSFT_NetProtocolPortFilter')]
        $AssociatedNetFirewallPortFilter,
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ParameterSetName = 'ByAssociatedNetFirewallAddressFilter')]
        [PSTypeName('Microsoft.Management.Infrastructure.CimInstance#root/standardcimv2/MSFT_NetAddressFilter')]
        $AssociatedNetFirewallAddressFilter,
        [string]$PolicyStore
    )
    process {
        $set = $PSCmdlet.ParameterSetName
        $found = @(Read-Rules | Where-Object {
            $record = $_
            switch ($set) {
                # Names take wildcards, as on Windows.
                'ByName' { [bool]($Name | Where-Object { $record.Name -like $_ }) }
                'ByDisplayName' { [bool]($DisplayName | Where-Object { $record.DisplayName -like $_ }) }
                'ByAssociatedNetFirewallPortFilter' { $record.Name -eq $AssociatedNetFirewallPortFilter.InstanceID }
                'ByAssociatedNetFirewallAddressFilter' { $record.Name -eq $AssociatedNetFirewallAddressFilter.InstanceID }
                'ByQuery' {
                    (-not $Enabled -or $Enabled -contains $record.Enabled) -and
                        (-not $Direction -or $Direction -contains $record.Direction) -and
                        (-not $Action -or $Action -contains $record.Action) -and (-not $Group -or $Group -contains $record.Group)
                }
                default { $true }
            }
        })
        $asked = if ($set -eq 'ByName') { $Name } elseif ($set -eq 'ByDisplayName') { $DisplayName }
        if ($found.Count -eq 0 -and $asked -and -not [WildcardPattern]::ContainsWildcardCharacters([string]$asked)) {
            $property = $set.Substring(2)
            $message = "No MSFT_NetFirewallRule objects found with property '$property' equal to '$asked'. Verify the value of " +
                'the property and retry.'
            Write-Error -Message $message -Category ObjectNotFound -ErrorId "CmdletizationQuery_NotFound_$property"
        }
        $found | ForEach-Object { ConvertTo-Rule -Record $_ }
    }
}

function Select-Record {
    # The records behind the rule on the pipeline, or all of them.
    param($Rule)
    Read-Rules | Where-Object { -not $Rule -or $_.Name -eq $Rule.Name }
}

function Get-NetFirewallPortFilter {
    [CmdletBinding(DefaultParameterSetName = 'GetAll')]
    param(
        [Parameter(ParameterSetName = 'GetAll')][switch]$All,
        [Parameter(ParameterSetName = 'ByQuery')][string[]]$Protocol,
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ParameterSetName = 'ByAssociatedNetFirewallRule')]
        [PSTypeName('Microsoft.Management.Infrastructure.CimInstance#root/standardcimv2/MSFT_NetFirewallRule')]
        $AssociatedNetFirewallRule,
        [string]$PolicyStore
    )
    process {
        Select-Record -Rule $AssociatedNetFirewallRule | Where-Object { -not $Protocol -or $Protocol -contains $_.Protocol } |
            ForEach-Object {
                # One port comes back as a text, several as a list.
                [pscustomobject]@{
                    PSTypeName = "$namespace/MSFT_NetProtocolPortFilter"
                    InstanceID = $_.Name
                    Protocol = $_.Protocol
                    LocalPort = if (@($_.LocalPort).Count -eq 1) { @($_.LocalPort)[0] } else { [string[]]@($_.LocalPort) }
                    RemotePort = if (@($_.RemotePort).Count -eq 1) { @($_.RemotePort)[0] } else { [string[]]@($_.RemotePort) }
                    DynamicTarget = 'Any'
                }
            }
    }
}

function Get-NetFirewallAddressFilter {
    [CmdletBinding(DefaultParameterSetName = 'GetAll')]
    param(
        [Parameter(ParameterSetName = 'GetAll')][switch]$All,
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ParameterSetName = 'ByAssociatedNetFirewallRule')]
        [PSTypeName('Microsoft.Management.Infrastructure.CimInstance#root/standardcimv2/MSFT_NetFirewallRule')]
        $AssociatedNetFirewallRule,
        [string]$PolicyStore
    )
    process {
        Select-Record -Rule $AssociatedNetFirewallRule | ForEach-Object {
            [pscustomobject]@{
                PSTypeName = "$namespace/MSFT_NetAddressFilter"
                InstanceID = $_.Name
                LocalAddress = if (@($_.LocalAddress).Count -eq 1) { @($_.LocalAddress)[0] } else { [string[]]@($_.LocalAddress) }
                RemoteAddress = if (@($_.RemoteAddress).Count -eq 1) { @($_.RemoteAddress)[0] } else { [string[]]@($_.RemoteAddress) }
            }
        }
    }
}

function Get-NetFirewallApplicationFilter {
    [CmdletBinding(DefaultParameterSetName = 'GetAll')]
    param(
        [Parameter(ParameterSetName = 'GetAll')][switch]$All,
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ParameterSetName = 'ByAssociatedNetFirewallRule')]
        [PSTypeName('Microsoft.Management.Infrastructure.CimInstance#root/standardcimv2/MSFT_NetFirewallRule')]
        $AssociatedNetFirewallRule
    )
    process {
        Select-Record -Rule $AssociatedNetFirewallRule | ForEach-Object {
            [pscustomobject]@{
                PSTypeName = "$namespace/MSFT_NetApplicationFilter"
                InstanceID = $_.Name
                Program = if ($_.Program) { $_.Program } else { 'Any' }
            }
        }
    }
}

function Get-NetFirewallServiceFilter {
    [CmdletBinding(DefaultParameterSetName = 'GetAll')]
    param(
        [Parameter(ParameterSetName = 'GetAll')][switch]$All,
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ParameterSetName = 'ByAssociatedNetFirewallRule')]
        [PSTypeName('Microsoft.Management.Infrastructure.CimInstance#root/standardcimv2/MSFT_NetFirewallRule')]
        $AssociatedNetFirewallRule
    )
    process {
        Select-Record -Rule $AssociatedNetFirewallRule | ForEach-Object {
            [pscustomobject]@{
                PSTypeName = "$namespace/MSFT_NetServiceFilter"
                InstanceID = $_.Name
                Service = if ($_.Service) { $_.Service } else { 'Any' }
            }
        }
    }
}

# The rules that a cmdlet that changes them is given: by name, by display name or on the pipeline.
function Resolve-Rule {
    param([Collections.Generic.Dictionary[string, object]]$Bound)
    if ($Bound.ContainsKey('InputObject')) {
        return $Bound.InputObject
    }
    $query = @{}
    foreach ($name in 'Name', 'DisplayName') {
        if ($Bound.ContainsKey($name)) {
            $query[$name] = $Bound[$name]
        }
    }
    Get-NetFirewallRule @query
}

function Remove-NetFirewallRule {
    [CmdletBinding(SupportsShouldProcess = $true, DefaultParameterSetName = 'ByName')]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ParameterSetName = 'InputObject (cdxml)')][object[]]$InputObject,
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'ByName')][Alias('ID')][string[]]$Name,
        [Parameter(Mandatory = $true, ParameterSetName = 'ByDisplayName')][string[]]$DisplayName
    )
    process {
        foreach ($rule in Resolve-Rule -Bound $PSBoundParameters) {
            if ($PSCmdlet.ShouldProcess($rule.DisplayName)) {
                $file = [Convert]::ToHexString([Text.Encoding]::UTF8.GetBytes($rule.Name)) + '.xml'
                Remove-Item -LiteralPath (Join-Path -Path $folder -ChildPath $file)
            }
        }
    }
}

function Set-NetFirewallRule {
    [CmdletBinding(SupportsShouldProcess = $true, DefaultParameterSetName = 'ByName')]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ParameterSetName = 'InputObject (cdxml)')][object[]]$InputObject,
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'ByName')][Alias('ID')][string[]]$Name,
        [Parameter(Mandatory = $true, ParameterSetName = 'ByDisplayName')][string[]]$DisplayName,
        [string]$NewDisplayName,
        [string]$Description,
        [ValidateSet('True', 'False')][string]$Enabled,
        [ValidateSet('Any', 'Domain', 'Private', 'Public', 'NotApplicable')][string[]]$Profile,
        [ValidateSet('Inbound', 'Outbound')][string]$Direction,
        [ValidateSet('NotConfigured', 'Allow', 'Block')][string]$Action,
        [string]$Protocol,
        [string[]]$LocalPort,
        [string[]]$RemotePort,
        [string[]]$LocalAddress,
        [string[]]$RemoteAddress,
        [string]$Program,
        [string]$Service
    )
    process {
        foreach ($rule in Resolve-Rule -Bound $PSBoundParameters) {
            $record = Select-Record -Rule $rule
            Edit-Record -Record $record -Given $PSBoundParameters
            if ($NewDisplayName) {
                $record.DisplayName = $NewDisplayName
            }
            if ($PSCmdlet.ShouldProcess($rule.DisplayName)) {
                Save-Rule -Record $record
            }
        }
    }
}

function Enable-NetFirewallRule {
    [CmdletBinding(SupportsShouldProcess = $true, DefaultParameterSetName = 'ByName')]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ParameterSetName = 'InputObject (cdxml)')][object[]]$InputObject,
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'ByName')][Alias('ID')][string[]]$Name,
        [Parameter(Mandatory = $true, ParameterSetName = 'ByDisplayName')][string[]]$DisplayName
    )
    process {
        foreach ($rule in Resolve-Rule -Bound $PSBoundParameters) {
            Set-NetFirewallRule -Name $rule.Name -Enabled True
        }
    }
}

function Disable-NetFirewallRule {
    [CmdletBinding(SupportsShouldProcess = $true, DefaultParameterSetName = 'ByName')]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ParameterSetName = 'InputObject (cdxml)')][object[]]$InputObject,
        [Parameter(Mandatory = $true, Position = 0, ParameterSetName = 'ByName')][Alias('ID')][string[]]$Name,
        [Parameter(Mandatory = $true, ParameterSetName = 'ByDisplayName')][string[]]$DisplayName
    )
    process {
        foreach ($rule in Resolve-Rule -Bound $PSBoundParameters) {
            Set-NetFirewallRule -Name $rule.Name -Enabled False
        }
    }
}

Export-ModuleMember -Function New-NetFirewallRule, Get-NetFirewallRule, Get-NetFirewallPortFilter, Get-NetFirewallAddressFilter,
    Get-NetFirewallApplicationFilter, Get-NetFirewallServiceFilter, Remove-NetFirewallRule, Set-NetFirewallRule, Enable-NetFirewallRule, Disable-NetFirewallRule
