# Who listens on which TCP port. Changes nothing.
# Argument: {"ports": [7887, 7888]}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$listening = @(Get-NetTCPConnection -State Listen -ErrorAction SilentlyContinue)
$ports = foreach ($port in $request.ports) {
    $connection = $listening | Where-Object { $_.LocalPort -eq $port } | Select-Object -First 1
    $process = $null
    if ($connection) {
        $process = Get-CimInstance -ClassName Win32_Process -Filter "ProcessId=$([int]$connection.OwningProcess)"
    }
    [ordered]@{
        port = [int]$port
        listening = [bool]$connection
        address = [string]$connection.LocalAddress
        pid = [int]$connection.OwningProcess
        process = [string]$process.Name
        session_id = [int]$process.SessionId
    }
}
[ordered]@{ ports = @($ports) } | ConvertTo-Json -Compress -Depth 4
