# What the scripts about the firewall share; it is put behind their param line.

# An address as text that sorts as addresses do.
function ConvertTo-AddressKey {
    param([byte[]]$Bytes)
    "$($Bytes.Length):$([BitConverter]::ToString($Bytes))"
}

function ConvertTo-Address {
    param([string]$Text)
    $address = $null
    if ([Net.IPAddress]::TryParse($Text.Trim(), [ref]$address)) {
        return $address
    }
}

# An address, a network, a range or a keyword in a form that can be compared: Windows gives 10.0.0.0/8 back as
# 10.0.0.0/255.0.0.0, and a single address without its /32.
function ConvertTo-AddressRange {
    param([string]$Text)
    $keyword = @{ Keyword = $Text.Trim().ToLowerInvariant(); First = ''; Last = '' }
    $from, $to = $Text.Split('-')
    if ($to) {
        $first = ConvertTo-Address -Text $from
        $last = ConvertTo-Address -Text $to
        if (-not $first -or -not $last) {
            return $keyword
        }
        return @{
            Keyword = ''
            First = ConvertTo-AddressKey -Bytes $first.GetAddressBytes()
            Last = ConvertTo-AddressKey -Bytes $last.GetAddressBytes()
        }
    }
    $start, $size = $Text.Split('/')
    $address = ConvertTo-Address -Text $start
    if (-not $address) {
        return $keyword
    }
    $low = $address.GetAddressBytes()
    $high = $address.GetAddressBytes()
    $mask = @()
    if ($size -cmatch '^\d{1,3}\z') {
        $mask = @(foreach ($index in 0..($low.Length - 1)) {
            $ones = [Math]::Max(0, [Math]::Min(8, [int]$size - 8 * $index))
            256 - [int][Math]::Pow(2, 8 - $ones)
        })
    } elseif ($size) {
        $dotted = ConvertTo-Address -Text $size
        if (-not $dotted) {
            return $keyword
        }
        $mask = $dotted.GetAddressBytes()
    }
    for ($index = 0; $index -lt $mask.Count; $index++) {
        $low[$index] = $low[$index] -band $mask[$index]
        $high[$index] = $low[$index] + 255 - $mask[$index]
    }
    @{ Keyword = ''; First = ConvertTo-AddressKey -Bytes $low; Last = ConvertTo-AddressKey -Bytes $high }
}

# Whether all of the inner addresses are among the outer ones.
function Test-Covers {
    param([string]$Outer, [string]$Inner)
    $large = ConvertTo-AddressRange -Text $Outer
    $small = ConvertTo-AddressRange -Text $Inner
    if ($large.Keyword -or $small.Keyword) {
        return $large.Keyword -eq 'any' -or $large.Keyword -eq $small.Keyword
    }
    [string]::CompareOrdinal($large.First, $small.First) -le 0 -and [string]::CompareOrdinal($large.Last, $small.Last) -ge 0
}

# Whether some address is in both. What a keyword stands for nobody knows here, so it may be.
function Test-Overlaps {
    param([string]$One, [string]$Other)
    $left = ConvertTo-AddressRange -Text $One
    $right = ConvertTo-AddressRange -Text $Other
    if ($left.Keyword -or $right.Keyword) {
        return $true
    }
    [string]::CompareOrdinal($left.First, $right.Last) -le 0 -and [string]::CompareOrdinal($left.Last, $right.First) -ge 0
}

function Get-ById {
    param([scriptblock]$Query)
    $byId = @{}
    foreach ($filter in @(Get-Found -Query $Query)) {
        $byId[[string]$filter.InstanceID] = $filter
    }
    $byId
}

# Every inbound rule with its filters. Asked for all at once: one by one they take Windows many times as long.
function Get-InboundRules {
    $ports = Get-ById -Query { Get-NetFirewallPortFilter -ErrorAction Stop }
    $addresses = Get-ById -Query { Get-NetFirewallAddressFilter -ErrorAction Stop }
    $programs = Get-ById -Query { Get-NetFirewallApplicationFilter -ErrorAction Stop }
    $services = Get-ById -Query { Get-NetFirewallServiceFilter -ErrorAction Stop }
    foreach ($rule in @(Get-Found -Query { Get-NetFirewallRule -Direction Inbound -ErrorAction Stop })) {
        $id = [string]$rule.InstanceID
        $limits = @($programs[$id].Program, $services[$id].Service | Where-Object { $_ -and $_ -ne 'Any' })
        $profiles = [string]$rule.Profile
        New-Object -TypeName PSObject -Property @{
            Rule = $rule
            Name = [string]$rule.DisplayName
            Enabled = ([string]$rule.Enabled -eq 'True')
            Action = [string]$rule.Action
            IsEverywhere = ('Any', 'Domain, Private, Public' -contains $profiles)
            Protocol = [string]$ports[$id].Protocol
            Ports = @($ports[$id].LocalPort | Where-Object { $_ } | ForEach-Object { [string]$_ })
            Remotes = @($addresses[$id].RemoteAddress | Where-Object { $_ } | ForEach-Object { [string]$_ })
            Program = [string]$programs[$id].Program
            IsLimited = ($limits.Count -gt 0 -or [bool]$programs[$id].Package)
            IsForServiceOrPackage = ([bool]$programs[$id].Package -or ($services[$id].Service -and $services[$id].Service -ne 'Any'))
        }
    }
}

function Test-Port {
    param([string[]]$Ports, [int]$Port)
    foreach ($item in $Ports) {
        if ($item -eq 'Any' -or $item -eq [string]$Port) {
            return $true
        }
        if ($item -cmatch '^(\d+)-(\d+)\z' -and $Port -ge [int]$Matches[1] -and $Port -le [int]$Matches[2]) {
            return $true
        }
    }
    $false
}

# The program that listens on a port, or '' where nobody does.
function Get-ListenerPath {
    param([int]$Port)
    $connection = @(Get-Found -Query { Get-NetTCPConnection -State Listen -LocalPort $Port -ErrorAction Stop })[0]
    if ($connection) {
        $query = "ProcessId=$([long]$connection.OwningProcess)"
        [string]@(Get-CimInstance -ClassName Win32_Process -Filter $query -ErrorAction Stop)[0].ExecutablePath
    }
}

# The rules in force for a TCP port. One for a program counts where that program listens; one for a service or an app
# package is not about our ports.
function Select-OnPort {
    param($Rules, [int]$Port)
    $onPort = @($Rules | Where-Object {
        $_.Enabled -and 'TCP', '6', 'Any' -contains $_.Protocol -and -not $_.IsForServiceOrPackage -and
        (Test-Port -Ports $_.Ports -Port $Port)
    })
    $listener = $null
    foreach ($rule in $onPort) {
        if ($rule.IsLimited) {
            if ($null -eq $listener) {
                $listener = "$(Get-ListenerPath -Port $Port)"
            }
            if (-not $listener -or [Environment]::ExpandEnvironmentVariables($rule.Program) -ne $listener) {
                continue
            }
        }
        $rule
    }
}

# Whether a rule is exactly what is wanted.
function Test-Right {
    param($Rule, $Wanted)
    $isPlain = $Rule.Enabled -and $Rule.Action -eq 'Allow' -and $Rule.IsEverywhere -and -not $Rule.IsLimited
    $isForPort = 'TCP', '6' -contains $Rule.Protocol -and $Rule.Ports.Count -eq 1 -and $Rule.Ports[0] -eq [string]$Wanted.port
    $remote = [string]$Wanted.remote_address
    $isPlain -and $isForPort -and $Rule.Remotes.Count -eq 1 -and
        (Test-Covers -Outer $Rule.Remotes[0] -Inner $remote) -and (Test-Covers -Outer $remote -Inner $Rule.Remotes[0])
}

# What lets all of the wanted addresses in, on every kind of network, and what keeps some of them out.
function Get-Judgement {
    param($Rules, $Wanted)
    $remote = [string]$Wanted.remote_address
    $onPort = @(Select-OnPort -Rules $Rules -Port $Wanted.port)
    $allowing = @($onPort | Where-Object {
        $_.Action -eq 'Allow' -and $_.IsEverywhere -and
        @($_.Remotes | Where-Object { Test-Covers -Outer $_ -Inner $remote }).Count -gt 0
    })
    $blocking = @($onPort | Where-Object {
        $_.Action -eq 'Block' -and @($_.Remotes | Where-Object { Test-Overlaps -One $_ -Other $remote }).Count -gt 0
    })
    # A rule that blocks wins over every rule that allows.
    @{ Allows = ($allowing.Count -gt 0 -and $blocking.Count -eq 0); Blocking = $blocking }
}

# Makes the rule where it is missing, then takes away what else has its name: never the other way round, since a rule that
# can't be made must not cost the one that is there.
# Gives whether anything changed.
function Set-InboundRule {
    param($Rules, $Wanted)
    $named = @($Rules | Where-Object { $_.Name -eq [string]$Wanted.name })
    $right = @($named | Where-Object { Test-Right -Rule $_ -Wanted $Wanted })[0]
    if (-not $right) {
        $rule = @{
            DisplayName = [string]$Wanted.name
            Direction = 'Inbound'
            Action = 'Allow'
            Protocol = 'TCP'
            LocalPort = [string]$Wanted.port
            RemoteAddress = [string]$Wanted.remote_address
            Profile = 'Any'
            ErrorAction = 'Stop'
        }
        New-NetFirewallRule @rule | Out-Null
    }
    $wrong = @($named | Where-Object { $_ -ne $right })
    foreach ($one in $wrong) {
        $one.Rule | Remove-NetFirewallRule -ErrorAction Stop
    }
    -not $right -or $wrong.Count -gt 0
}
