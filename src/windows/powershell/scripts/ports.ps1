# Who listens on which TCP port. Changes nothing.
# Argument: {"ports": [7887, 7888]}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$listening = @(Get-Found -Query { Get-NetTCPConnection -State Listen -ErrorAction Stop })

# Who can reach it: the whole network comes before one address, and that before this machine alone.
function Get-Reach {
    param([string]$Address)
    if ($Address -eq '0.0.0.0') {
        return 0
    }
    if ($Address -eq '::') {
        return 1
    }
    $parsed = $null
    if ([Net.IPAddress]::TryParse($Address, [ref]$parsed) -and [Net.IPAddress]::IsLoopback($parsed)) {
        return 3
    }
    2
}

$ports = foreach ($port in @($request.ports)) {
    $connection = @($listening | Where-Object { $_.LocalPort -eq $port } |
        Sort-Object -Property { Get-Reach -Address $_.LocalAddress })[0]
    $process = $null
    if ($connection) {
        $filter = "ProcessId=$([long]$connection.OwningProcess)"
        $process = @(Get-CimInstance -ClassName Win32_Process -Filter $filter -ErrorAction Stop)[0]
    }
    [ordered]@{
        port = [int]$port
        listening = [bool]$connection
        address = [string]$connection.LocalAddress
        pid = [long]$connection.OwningProcess
        process = [string]$process.Name
        session_id = [long]$process.SessionId
    }
}
[ordered]@{ ports = @($ports) } | ConvertTo-Json -Compress -Depth 4
