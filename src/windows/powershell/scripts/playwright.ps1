# What is there of Node and Playwright; what is half there counts as not there. Changes nothing.
# Argument: {"dir": "C:\\ProgramData\\win-automation\\playwright"}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$node = @(Get-Found -Query { Get-Command -Name node.exe -CommandType Application -ErrorAction Stop })[0]
$nodePath = ''
$nodeVersion = ''
if ($node) {
    $nodePath = [string]$node.Source
    try {
        $nodeVersion = ([string](& $nodePath --version)).Trim().TrimStart('v')
    } catch {
        $nodeVersion = ''
    }
}
$package = Join-Path -Path $request.dir -ChildPath 'node_modules\playwright\package.json'
$playwrightVersion = ''
if (Test-Path -LiteralPath $package -PathType Leaf) {
    try {
        $playwrightVersion = [string]([IO.File]::ReadAllText($package) | ConvertFrom-Json).version
    } catch {
        # An installation that was cut short leaves half a file.
        $playwrightVersion = ''
    }
}
$places = @(Join-Path -Path $request.dir -ChildPath 'browsers')
if ($env:LOCALAPPDATA) {
    $places += Join-Path -Path $env:LOCALAPPDATA -ChildPath 'ms-playwright'
}
$browsers = foreach ($dir in $places) {
    Get-Found -Query { Get-ChildItem -LiteralPath $dir -Directory -ErrorAction Stop } |
        Where-Object { $_.Name -like 'chromium*' } | ForEach-Object { $_.FullName }
}
[ordered]@{
    node_path = $nodePath
    node_version = $nodeVersion
    playwright_version = $playwrightVersion
    browsers = @($browsers)
} | ConvertTo-Json -Compress -Depth 3
