# Loads Native.cs. Compiled once a host, since that takes a second; whoever comes meanwhile compiles it again.
$folder = Join-Path -Path $env:ProgramData -ChildPath 'winehost'
$assembly = Join-Path -Path $folder -ChildPath 'Native.dll'
if (-not ('Winehost.Native' -as [type])) {
    if (-not (Test-Path -LiteralPath $assembly)) {
        New-Item -ItemType Directory -Path $folder -Force | Out-Null
        $fresh = "$folder\Native-$PID.dll"
        $references = 'System.Collections', 'System.ComponentModel.Primitives', 'Microsoft.Win32.Primitives',
            'System.Runtime.InteropServices', 'System.Net.Primitives'
        Add-Type -Path (Join-Path -Path $PSScriptRoot -ChildPath 'Native.cs') -ReferencedAssemblies $references -OutputAssembly $fresh
        try {
            [IO.File]::Move($fresh, $assembly)
        } catch [IO.IOException] {
            # Somebody else was faster.
            [IO.File]::Delete($fresh)
        }
    }
    Add-Type -Path $assembly
}
