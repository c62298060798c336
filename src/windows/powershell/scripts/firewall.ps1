# Inbound TCP rules: what they are called and what they really allow.
# Argument: {"action": "query" | "ensure" | "remove", "rules": [{"name", "port", "remote_address"}]}
# remote_address: an address, a network or "Any".
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument

function Get-RulesOnPort {
    param([int]$Port)
    $filters = Get-NetFirewallPortFilter -Protocol TCP | Where-Object { @($_.LocalPort) -contains [string]$Port }
    foreach ($filter in $filters) {
        $rule = $filter | Get-NetFirewallRule
        if ($rule.Direction -eq 'Inbound' -and $rule.Enabled -eq 'True') {
            $rule
        }
    }
}

function Get-Report {
    param($Wanted, [bool]$Changed)
    $named = @(Get-NetFirewallRule -DisplayName $Wanted.name -ErrorAction SilentlyContinue)
    $enabled = @($named | Where-Object { $_.Enabled -eq 'True' })
    $remote = @()
    if ($named.Count -gt 0) {
        $remote = @(($named[0] | Get-NetFirewallAddressFilter).RemoteAddress)
    }
    $onPort = @(Get-RulesOnPort -Port $Wanted.port)
    $allowing = @($onPort | Where-Object { $_.Action -eq 'Allow' })
    $blocking = @($onPort | Where-Object { $_.Action -eq 'Block' })
    [ordered]@{
        name = [string]$Wanted.name
        port = [int]$Wanted.port
        exists = ($named.Count -gt 0)
        enabled = ($enabled.Count -gt 0)
        # A rule that blocks wins over every rule that allows.
        allows = ($allowing.Count -gt 0 -and $blocking.Count -eq 0)
        blocked_by = @($blocking | ForEach-Object { [string]$_.DisplayName })
        remote_address = @($remote | ForEach-Object { [string]$_ })
        changed = $Changed
    }
}

function Set-Rule {
    param($Wanted)
    $before = Get-Report -Wanted $Wanted -Changed $false
    $sameRemote = (@($before.remote_address) -contains [string]$Wanted.remote_address)
    if ($before.enabled -and $before.allows -and $sameRemote) {
        return $before
    }
    if ($before.exists) {
        Get-NetFirewallRule -DisplayName $Wanted.name | Remove-NetFirewallRule
    }
    $rule = @{
        DisplayName = [string]$Wanted.name
        Direction = 'Inbound'
        Action = 'Allow'
        Protocol = 'TCP'
        LocalPort = [string]$Wanted.port
        RemoteAddress = [string]$Wanted.remote_address
        Profile = 'Any'
    }
    New-NetFirewallRule @rule | Out-Null
    Get-Report -Wanted $Wanted -Changed $true
}

function Remove-Rule {
    param($Wanted)
    $named = @(Get-NetFirewallRule -DisplayName $Wanted.name -ErrorAction SilentlyContinue)
    if ($named.Count -gt 0) {
        $named | Remove-NetFirewallRule
    }
    Get-Report -Wanted $Wanted -Changed ($named.Count -gt 0)
}

$reports = foreach ($wanted in $request.rules) {
    if ($request.action -eq 'ensure') {
        Set-Rule -Wanted $wanted
    } elseif ($request.action -eq 'remove') {
        Remove-Rule -Wanted $wanted
    } else {
        Get-Report -Wanted $wanted -Changed $false
    }
}
[ordered]@{ rules = @($reports) } | ConvertTo-Json -Compress -Depth 5
