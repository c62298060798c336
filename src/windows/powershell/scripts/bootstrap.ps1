# Makes a fresh Windows ready to be driven. Every step looks first, changes only what is missing, and looks again. Run it as
# administrator.
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
            if (-not (& $Test)) {
                throw 'it was changed, but it is not as it should be'
            }
            $state = 'changed'
        }
    } catch {
        $state = 'failed'
        $detail = [string]$_
    }
    [void]$steps.Add([ordered]@{ step = $Name; state = $state; detail = $detail })
}

function Invoke-Native {
    param([string]$Program, [string[]]$Arguments)
    $output = @(& $Program @Arguments)
    if ($LASTEXITCODE -ne 0) {
        throw "$Program ended with $LASTEXITCODE`: $($output -join ' ')"
    }
    $output
}

function Get-Sshd {
    @(Get-Found -Query { Get-Service -Name sshd -ErrorAction Stop })[0]
}

Invoke-Step -Name 'openssh_server' -Test {
    [bool](Get-Sshd)
} -Change {
    Add-WindowsCapability -Online -Name 'OpenSSH.Server~~~~0.0.1.0' -ErrorAction Stop
}

Invoke-Step -Name 'sshd_running' -Test {
    $service = Get-Sshd
    $service.Status -eq 'Running' -and $service.StartType -eq 'Automatic'
} -Change {
    Set-Service -Name sshd -StartupType Automatic -ErrorAction Stop
    Start-Service -Name sshd -ErrorAction Stop
}

# ---- administrators' keys: Windows OpenSSH reads them from one file, as bytes, and only if nobody but SYSTEM and
# Administrators may write it.

# S-1-5-18 is SYSTEM, S-1-5-32-544 Administrators: the names differ by language.
$trusted = 'S-1-5-18', 'S-1-5-32-544'

# The lines of the file, and whether its bytes are what sshd reads: no byte order mark, no UTF-16.
function Read-Keys {
    param([string]$Path)
    if (-not (Test-Path -LiteralPath $Path)) {
        return @{ Lines = @(); IsPlain = $true }
    }
    $bytes = [IO.File]::ReadAllBytes($Path)
    $utf8 = New-Object -TypeName Text.UTF8Encoding -ArgumentList $false
    $encoding = $utf8
    # UTF-16 written without a mark has a zero in every second byte of its ASCII.
    if ($bytes.Length -ge 2) {
        $first, $second = $bytes[0..1]
        if (($first -eq 0xFF -and $second -eq 0xFE) -or ($first -ne 0 -and $second -eq 0)) {
            $encoding = [Text.Encoding]::Unicode
        } elseif (($first -eq 0xFE -and $second -eq 0xFF) -or ($first -eq 0 -and $second -ne 0)) {
            $encoding = [Text.Encoding]::BigEndianUnicode
        }
    }
    $text = $encoding.GetString($bytes)
    @{
        Lines = @($text.TrimStart([char]0xFEFF) -csplit '\r\n|\n|\r' | Where-Object { $_ -ne '' })
        IsPlain = ($encoding -eq $utf8 -and -not $text.StartsWith([string][char]0xFEFF, [StringComparison]::Ordinal))
    }
}

function Get-FileSecurity {
    param([string]$Path)
    $type = [Security.Principal.SecurityIdentifier]
    $acl = Get-Acl -LiteralPath $Path -ErrorAction Stop
    @{
        Owner = [string]$acl.GetOwner($type).Value
        IsProtected = [bool]$acl.AreAccessRulesProtected
        # By SID: an account that was deleted, or whose domain can't be reached, has no name.
        Entries = @($acl.GetAccessRules($true, $true, $type) | ForEach-Object {
            New-Object -TypeName PSObject -Property @{ Sid = [string]$_.IdentityReference.Value; Type = [string]$_.AccessControlType }
        })
    }
}

if ($request.authorized_key) {
    $key = ([string]$request.authorized_key).Trim()
    $keys = Join-Path -Path $env:ProgramData -ChildPath 'ssh\administrators_authorized_keys'
    Invoke-Step -Name 'authorized_key' -Test {
        $known = Read-Keys -Path $keys
        $known.IsPlain -and @($known.Lines | ForEach-Object { $_.Trim() }) -ccontains $key
    } -Change {
        $known = Read-Keys -Path $keys
        $lines = @($known.Lines)
        if (@($lines | ForEach-Object { $_.Trim() }) -cnotcontains $key) {
            $lines += $key
        }
        [void][IO.Directory]::CreateDirectory((Split-Path -Path $keys -Parent))
        # Every line with its end: a key must never be glued to the one before it.
        $text = [string]::Join('', @($lines | ForEach-Object { "$_`r`n" }))
        [IO.File]::WriteAllText($keys, $text, (New-Object -TypeName Text.UTF8Encoding -ArgumentList $false))
    }
    Invoke-Step -Name 'authorized_key_acl' -Test {
        $security = Get-FileSecurity -Path $keys
        $allowed = @($security.Entries | Where-Object { $trusted -contains $_.Sid -and $_.Type -eq 'Allow' } | ForEach-Object { $_.Sid })
        $security.IsProtected -and $trusted -contains $security.Owner -and $security.Entries.Count -eq $allowed.Count -and
            @($trusted | Where-Object { $allowed -notcontains $_ }).Count -eq 0
    } -Change {
        $security = Get-FileSecurity -Path $keys
        if ($trusted -notcontains $security.Owner) {
            Invoke-Native -Program icacls.exe -Arguments $keys, '/setowner', '*S-1-5-32-544'
        }
        Invoke-Native -Program icacls.exe -Arguments $keys, '/inheritance:r', '/grant:r', '*S-1-5-18:F', '/grant:r', '*S-1-5-32-544:F'
        # What is left are explicit entries: those of others, and those that deny.
        foreach ($entry in @((Get-FileSecurity -Path $keys).Entries)) {
            if ($trusted -notcontains $entry.Sid) {
                Invoke-Native -Program icacls.exe -Arguments $keys, '/remove', "*$($entry.Sid)"
            } elseif ($entry.Type -ne 'Allow') {
                Invoke-Native -Program icacls.exe -Arguments $keys, '/remove:d', "*$($entry.Sid)"
            }
        }
    }
}

# ---- the firewall

# All rules, read once and again after each change: reading takes Windows seconds.
$firewall = @{ Rules = $null }
function Get-KnownRules {
    if ($null -eq $firewall.Rules) {
        $firewall.Rules = @(Get-InboundRules)
    }
    $firewall.Rules
}

function Set-KnownRule {
    param($Wanted)
    $rules = @(Get-KnownRules)
    $firewall.Rules = $null
    Set-InboundRule -Rules $rules -Wanted $Wanted
}

function Assert-NotBlocked {
    param($Wanted)
    $blocking = @((Get-Judgement -Rules @(Get-KnownRules) -Wanted $Wanted).Blocking)
    if ($blocking.Count -gt 0) {
        $names = @($blocking | ForEach-Object { $_.Name }) -join ', '
        throw "port $($Wanted.port) is blocked by: $names"
    }
}

# Some rule for sshd comes with Windows, often for private networks alone.
Invoke-Step -Name 'firewall_22' -Test {
    $wanted = @{ name = 'WinAutomation-SSH-22'; port = 22; remote_address = [string]$request.remote_address }
    (Get-Judgement -Rules @(Get-KnownRules) -Wanted $wanted).Allows
} -Change {
    $wanted = @{ name = 'WinAutomation-SSH-22'; port = 22; remote_address = [string]$request.remote_address }
    Set-KnownRule -Wanted $wanted
    Assert-NotBlocked -Wanted $wanted
}

foreach ($port in @($request.ports)) {
    $rule = @{ name = [string]$port.name; port = [int]$port.port; remote_address = [string]$request.remote_address }
    Invoke-Step -Name "firewall_$($rule.port)" -Test {
        $named = @(Get-KnownRules | Where-Object { $_.Name -eq $rule.name })
        if ($named.Count -ne 1 -or -not (Test-Right -Rule $named[0] -Wanted $rule)) {
            return $false
        }
        Assert-NotBlocked -Wanted $rule
        $true
    } -Change {
        Set-KnownRule -Wanted $rule
    }
}

# ---- power: a machine that sleeps, or whose screen goes off and locks, can't be driven

# Seconds on mains, or $null where this machine has no such setting to show. The words around the numbers are in Windows'
# own language; the last two numbers are those for mains and for battery.
function Get-PowerSetting {
    param([string]$Group, [string]$Setting)
    $numbers = @(Invoke-Native -Program powercfg.exe -Arguments '/query', 'SCHEME_CURRENT', $Group, $Setting | ForEach-Object {
        if ([string]$_ -cmatch '0x([0-9a-fA-F]{8})\s*\z') {
            [Convert]::ToInt64($Matches[1], 16)
        }
    })
    if ($numbers.Count -ge 2) {
        $numbers[-2]
    }
}

$powerSettings = @(
    @{ Name = 'standby-timeout-ac'; Group = 'SUB_SLEEP'; Setting = 'STANDBYIDLE' }
    @{ Name = 'hibernate-timeout-ac'; Group = 'SUB_SLEEP'; Setting = 'HIBERNATEIDLE' }
    @{ Name = 'monitor-timeout-ac'; Group = 'SUB_VIDEO'; Setting = 'VIDEOIDLE' }
)
foreach ($power in $powerSettings) {
    Invoke-Step -Name "power_$($power.Name)" -Test {
        $seconds = Get-PowerSetting -Group $power.Group -Setting $power.Setting
        # A machine that doesn't show a setting, such as one that can't sleep, has nothing that could be wrong.
        $null -eq $seconds -or $seconds -eq 0
    } -Change {
        Invoke-Native -Program powercfg.exe -Arguments '/change', $power.Name, '0'
    }
}

Invoke-Step -Name 'node' -Test {
    if (-not (Get-Found -Query { Get-Command -Name node.exe -CommandType Application -ErrorAction Stop })) {
        throw 'Node.js LTS is not installed: winget install OpenJS.NodeJS.LTS'
    }
    $true
} -Change {
    $null
}

[ordered]@{ steps = @($steps) } | ConvertTo-Json -Compress -Depth 4
