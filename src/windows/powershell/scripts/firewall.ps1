# Inbound TCP rules: what they are called and what they really allow.
# Argument: {"action": "query" | "ensure" | "remove", "rules": [{"name", "port", "remote_address"}]}
# remote_address: an address, a network, a range or "Any"; `allows` says whether all of it gets in.
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument

function Get-Report {
    param($Rules, $Wanted, [bool]$Changed)
    $named = @($Rules | Where-Object { $_.Name -eq [string]$Wanted.name })
    $judgement = Get-Judgement -Rules $Rules -Wanted $Wanted
    [ordered]@{
        name = [string]$Wanted.name
        port = [int]$Wanted.port
        exists = ($named.Count -gt 0)
        enabled = (@($named | Where-Object { $_.Enabled }).Count -gt 0)
        allows = $judgement.Allows
        blocked_by = @($judgement.Blocking | ForEach-Object { $_.Name })
        remote_address = @($named | ForEach-Object { $_.Remotes })
        changed = $Changed
    }
}

function Remove-Rule {
    param($Rules, $Wanted)
    $named = @($Rules | Where-Object { $_.Name -eq [string]$Wanted.name })
    foreach ($one in $named) {
        $one.Rule | Remove-NetFirewallRule -ErrorAction Stop
    }
    $named.Count -gt 0
}

$rules = @(Get-InboundRules)
$reports = foreach ($wanted in @($request.rules)) {
    $changed = $false
    if ($request.action -eq 'ensure') {
        $changed = Set-InboundRule -Rules $rules -Wanted $wanted
    } elseif ($request.action -eq 'remove') {
        $changed = Remove-Rule -Rules $rules -Wanted $wanted
    }
    if ($changed) {
        $rules = @(Get-InboundRules)
    }
    Get-Report -Rules $rules -Wanted $wanted -Changed $changed
}
[ordered]@{ rules = @($reports) } | ConvertTo-Json -Compress -Depth 5
