# Makes a fresh Windows ready to be driven. Every step looks first and changes only what is missing. Run it as administrator.
# Argument: {"authorized_key": "ssh-ed25519 ..." or "", "ports": [{"name": "Aloha-7887", "port": 7887}], "remote_address": "Any"}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$steps = New-Object -TypeName System.Collections.ArrayList

function Invoke-Step {
    param([string]$Name, [scriptblock]$Test, [scriptblock]$Change)
    $state = 'ok'
    $detail = ''
    try {
        if (-not (& $Test)) {
            & $Change | Out-Null
            $state = 'changed'
        }
    } catch {
        $state = 'failed'
        $detail = [string]$_
    }
    [void]$steps.Add([ordered]@{ step = $Name; state = $state; detail = $detail })
}

Invoke-Step -Name 'openssh_server' -Test {
    [bool](Get-Service -Name sshd -ErrorAction SilentlyContinue)
} -Change {
    Add-WindowsCapability -Online -Name 'OpenSSH.Server~~~~0.0.1.0'
}

Invoke-Step -Name 'sshd_running' -Test {
    $service = Get-Service -Name sshd
    $service.Status -eq 'Running' -and $service.StartType -eq 'Automatic'
} -Change {
    Set-Service -Name sshd -StartupType Automatic
    Start-Service -Name sshd
}

# Windows OpenSSH reads administrators' keys from one file, and only if nobody but SYSTEM and Administrators may write it.
if ($request.authorized_key) {
    $keys = Join-Path -Path $env:ProgramData -ChildPath 'ssh\administrators_authorized_keys'
    Invoke-Step -Name 'authorized_key' -Test {
        (Test-Path -LiteralPath $keys) -and (@(Get-Content -LiteralPath $keys) -contains [string]$request.authorized_key)
    } -Change {
        Add-Content -LiteralPath $keys -Value ([string]$request.authorized_key) -Encoding Ascii
    }
    Invoke-Step -Name 'authorized_key_acl' -Test {
        $access = (Get-Acl -LiteralPath $keys).Access
        $others = @($access | Where-Object {
            $sid = $_.IdentityReference.Translate([Security.Principal.SecurityIdentifier]).Value
            'S-1-5-18', 'S-1-5-32-544' -notcontains $sid
        })
        $others.Count -eq 0
    } -Change {
        & icacls.exe $keys '/inheritance:r' '/grant' '*S-1-5-18:F' '/grant' '*S-1-5-32-544:F'
        if ($LASTEXITCODE -ne 0) {
            throw "icacls ended with $LASTEXITCODE"
        }
    }
}

foreach ($wanted in $request.ports) {
    Invoke-Step -Name "firewall_$($wanted.port)" -Test {
        $rule = Get-NetFirewallRule -DisplayName $wanted.name -ErrorAction SilentlyContinue
        [bool]($rule | Where-Object { $_.Enabled -eq 'True' -and $_.Action -eq 'Allow' })
    } -Change {
        $rule = @{
            DisplayName = [string]$wanted.name
            Direction = 'Inbound'
            Action = 'Allow'
            Protocol = 'TCP'
            LocalPort = [string]$wanted.port
            RemoteAddress = [string]$request.remote_address
            Profile = 'Any'
        }
        New-NetFirewallRule @rule
    }
}

# A machine that sleeps, or whose screen goes off and locks, can't be driven.
foreach ($setting in 'standby-timeout-ac', 'hibernate-timeout-ac', 'monitor-timeout-ac') {
    Invoke-Step -Name "power_$setting" -Test { $false } -Change {
        & powercfg.exe /change $setting 0
        if ($LASTEXITCODE -ne 0) {
            throw "powercfg ended with $LASTEXITCODE"
        }
    }
}

Invoke-Step -Name 'node' -Test {
    if (-not (Get-Command -Name node.exe -ErrorAction SilentlyContinue)) {
        throw 'Node.js LTS is not installed: winget install OpenJS.NodeJS.LTS'
    }
    $true
} -Change {
    $null
}

[ordered]@{ steps = @($steps) } | ConvertTo-Json -Compress -Depth 4
