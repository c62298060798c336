# Writes a file that only SYSTEM and Administrators may read. The content comes on standard input, as base64 on one line,
# and nowhere else.
# Argument: {"path": "C:\\..."}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$path = [string]$request.path
$temporary = "$path.tmp"
$dir = Split-Path -Parent $path
if (-not (Test-Path -LiteralPath $dir)) {
    New-Item -ItemType Directory -Path $dir -Force | Out-Null
}
$content = [Convert]::FromBase64String([Console]::In.ReadLine())

# Well-known SIDs, since the names differ by language: S-1-5-18 is SYSTEM, S-1-5-32-544 Administrators.
$acl = New-Object -TypeName Security.AccessControl.FileSecurity
$acl.SetAccessRuleProtection($true, $false)
foreach ($sid in 'S-1-5-18', 'S-1-5-32-544') {
    $who = New-Object -TypeName Security.Principal.SecurityIdentifier -ArgumentList $sid
    $rule = New-Object -TypeName Security.AccessControl.FileSystemAccessRule -ArgumentList $who, 'FullControl', 'Allow'
    $acl.AddAccessRule($rule)
}

# The file is closed to others before anything is in it.
[IO.File]::WriteAllBytes($temporary, (New-Object -TypeName byte[] -ArgumentList 0))
Set-Acl -LiteralPath $temporary -AclObject $acl
[IO.File]::WriteAllBytes($temporary, $content)
Move-Item -LiteralPath $temporary -Destination $path -Force
$readers = @((Get-Acl -LiteralPath $path).Access | ForEach-Object {
    $_.IdentityReference.Translate([Security.Principal.SecurityIdentifier]).Value
})
[ordered]@{ path = $path; size_bytes = $content.Length; readers = $readers } | ConvertTo-Json -Compress -Depth 3
