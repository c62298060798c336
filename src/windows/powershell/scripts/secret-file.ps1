# Writes a file that only SYSTEM and Administrators may read. The content comes on standard input, as base64 on one line,
# and nowhere else.
# Argument: {"path": "C:\\..."}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$path = [string]$request.path
$temporary = "$path.tmp"
$line = [Console]::In.ReadLine()
if (-not $line) {
    throw 'no secret came on standard input; nothing was written'
}
$content = [Convert]::FromBase64String($line)

# Well-known SIDs, since the names differ by language: S-1-5-18 is SYSTEM, S-1-5-32-544 Administrators.
$acl = New-Object -TypeName Security.AccessControl.FileSecurity
$acl.SetAccessRuleProtection($true, $false)
foreach ($sid in 'S-1-5-18', 'S-1-5-32-544') {
    $who = New-Object -TypeName Security.Principal.SecurityIdentifier -ArgumentList $sid
    $rule = New-Object -TypeName Security.AccessControl.FileSystemAccessRule -ArgumentList $who, 'FullControl', 'Allow'
    $acl.AddAccessRule($rule)
}

[void][IO.Directory]::CreateDirectory((Split-Path -Path $path -Parent))
try {
    # The file is closed to others before anything is in it.
    [IO.File]::WriteAllBytes($temporary, (New-Object -TypeName byte[] -ArgumentList 0))
    Set-Acl -LiteralPath $temporary -AclObject $acl
    [IO.File]::WriteAllBytes($temporary, $content)
    Move-Item -LiteralPath $temporary -Destination $path -Force
} finally {
    [IO.File]::Delete($temporary)
}
# By SID: an account of a domain that can't be reached has no name.
$sidType = [Security.Principal.SecurityIdentifier]
$readers = @((Get-Acl -LiteralPath $path).GetAccessRules($true, $true, $sidType) | ForEach-Object { $_.IdentityReference.Value })
[ordered]@{ path = $path; size_bytes = $content.Length; readers = $readers } | ConvertTo-Json -Compress -Depth 3
