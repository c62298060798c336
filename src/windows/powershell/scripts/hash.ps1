# SHA-256 and size of files. Changes nothing.
# Argument: {"paths": ["C:\\..."]}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$files = foreach ($path in @($request.paths)) {
    [ordered]@{
        path = [string]$path
        size_bytes = [long](Get-Item -LiteralPath $path -Force).Length
        sha256 = (Get-FileHash -LiteralPath $path -Algorithm SHA256).Hash.ToLowerInvariant()
    }
}
[ordered]@{ files = @($files) } | ConvertTo-Json -Compress -Depth 4
