# Get-NetTCPConnection over GetExtendedTcpTable: the sockets of this host's own programs, with their process. What listens
# on the machine outside of Wine is not there.
Import-Module -Name "$PSScriptRoot\..\WinehostNative"

function Get-NetTCPConnection {
    [CmdletBinding()]
    param(
        [Parameter(Position = 0)][string[]]$LocalAddress,
        [Parameter(Position = 1)][uint16[]]$LocalPort,
        [string[]]$RemoteAddress,
        [uint16[]]$RemotePort,
        [ValidateSet('Closed', 'Listen', 'SynSent', 'SynReceived', 'Established', 'FinWait1', 'FinWait2', 'CloseWait', 'Closing',
            'LastAck', 'TimeWait', 'DeleteTCB', 'Bound')][string[]]$State,
        [uint32[]]$OwningProcess
    )
    $states = @('', 'Closed', 'Listen', 'SynSent', 'SynReceived', 'Established', 'FinWait1', 'FinWait2', 'CloseWait', 'Closing',
        'LastAck', 'TimeWait', 'DeleteTCB')
    $found = @(foreach ($row in [Winehost.Native]::Tcp()) {
        $connection = [pscustomobject]@{
            PSTypeName = 'Microsoft.Management.Infrastructure.CimInstance#ROOT/StandardCimv2/MSFT_NetTCPConnection'
            LocalAddress = $row.LocalAddress
            LocalPort = [uint16]$row.LocalPort
            RemoteAddress = $row.RemoteAddress
            RemotePort = [uint16]$row.RemotePort
            State = $states[$row.State]
            OwningProcess = [uint32]$row.OwningProcess
        }
        $isWanted = $true
        foreach ($name in 'LocalAddress', 'LocalPort', 'RemoteAddress', 'RemotePort', 'State', 'OwningProcess') {
            if ($PSBoundParameters.ContainsKey($name) -and $PSBoundParameters[$name] -notcontains $connection.$name) {
                $isWanted = $false
            }
        }
        if ($isWanted) {
            $connection
        }
    })
    if ($found.Count -eq 0 -and $PSBoundParameters.Count -gt 0) {
        Write-Error -Message 'No matching MSFT_NetTCPConnection objects found by CIM query.' -Category ObjectNotFound
    }
    $found
}

Export-ModuleMember -Function Get-NetTCPConnection
