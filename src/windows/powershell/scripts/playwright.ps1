# What is there of Node and Playwright. Changes nothing.
# Argument: {"dir": "C:\\ProgramData\\win-automation\\playwright"}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$node = Get-Command -Name node.exe -ErrorAction SilentlyContinue
$nodePath = ''
$nodeVersion = ''
if ($node) {
    $nodePath = [string]$node.Source
    $nodeVersion = ([string](& $nodePath --version)).TrimStart('v')
}
$package = Join-Path -Path $request.dir -ChildPath 'node_modules\playwright\package.json'
$playwrightVersion = ''
if (Test-Path -LiteralPath $package) {
    $playwrightVersion = [string]([IO.File]::ReadAllText($package) | ConvertFrom-Json).version
}
$browsers = @()
foreach ($dir in (Join-Path -Path $request.dir -ChildPath 'browsers'), "$env:LOCALAPPDATA\ms-playwright") {
    if (Test-Path -LiteralPath $dir) {
        $browsers += @(Get-ChildItem -LiteralPath $dir -Directory -Filter 'chromium*' | ForEach-Object { $_.FullName })
    }
}
[ordered]@{
    node_path = $nodePath
    node_version = $nodeVersion
    playwright_version = $playwrightVersion
    browsers = @($browsers)
} | ConvertTo-Json -Compress -Depth 3
