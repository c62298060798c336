# The artifact folders on this machine.
# Argument: {"action": "list" | "remove", "root": "C:\\ProgramData\\win-automation\\artifacts", "job_ids": ["..."]}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$root = [string]$request.root
$removed = @()
if ($request.action -eq 'remove') {
    # All of them first: one that is wrong must not come after others are gone.
    foreach ($id in @($request.job_ids)) {
        if ($id -cnotmatch '\A[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}\z') {
            throw "not a job id: $id"
        }
    }
    foreach ($id in @($request.job_ids)) {
        $dir = @(Get-Found -Query { Get-Item -LiteralPath (Join-Path -Path $root -ChildPath $id) -Force -ErrorAction Stop })[0]
        if ($dir) {
            Remove-Item -LiteralPath $dir.FullName -Recurse -Force
            $removed += $id
        }
    }
}
$dirs = @(Get-Found -Query { Get-ChildItem -LiteralPath $root -Directory -Force -ErrorAction Stop })
$jobs = foreach ($dir in $dirs) {
    $files = @(Get-Found -Query { Get-ChildItem -LiteralPath $dir.FullName -File -Recurse -Force -ErrorAction Stop })
    [ordered]@{
        job_id = $dir.Name
        created_at = $dir.CreationTimeUtc.ToString('yyyy-MM-ddTHH:mm:ss.fffZ', [Globalization.CultureInfo]::InvariantCulture)
        files = $files.Count
        size_bytes = [long]($files | Measure-Object -Property Length -Sum).Sum
    }
}
[ordered]@{ jobs = @($jobs); removed = @($removed) } | ConvertTo-Json -Compress -Depth 4
