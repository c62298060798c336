# The artifact folders on this machine.
# Argument: {"action": "list" | "remove", "root": "C:\\ProgramData\\win-automation\\artifacts", "job_ids": ["..."]}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$root = [string]$request.root
$removed = @()
if ($request.action -eq 'remove') {
    foreach ($id in $request.job_ids) {
        if ($id -notmatch '^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$') {
            throw "not a job id: $id"
        }
        $dir = Join-Path -Path $root -ChildPath $id
        if (Test-Path -LiteralPath $dir) {
            Remove-Item -LiteralPath $dir -Recurse -Force
            $removed += $id
        }
    }
}
$jobs = foreach ($dir in @(Get-ChildItem -LiteralPath $root -Directory -ErrorAction SilentlyContinue)) {
    $files = @(Get-ChildItem -LiteralPath $dir.FullName -File -Recurse)
    [ordered]@{
        job_id = $dir.Name
        created_at = $dir.CreationTimeUtc.ToString('yyyy-MM-ddTHH:mm:ss.fffZ')
        files = $files.Count
        size_bytes = [long]($files | Measure-Object -Property Length -Sum).Sum
    }
}
[ordered]@{ jobs = @($jobs); removed = @($removed) } | ConvertTo-Json -Compress -Depth 4
