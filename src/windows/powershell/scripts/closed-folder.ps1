# Makes a folder that only SYSTEM and Administrators may read or write, and all that comes into it. What runs as SYSTEM must
# not lie where any user may put files beside it, as in folders below ProgramData.
# Argument: {"path": "C:\\..."}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$path = [string]$request.path
[void][IO.Directory]::CreateDirectory($path)

# Well-known SIDs, since the names differ by language: S-1-5-18 is SYSTEM, S-1-5-32-544 Administrators.
$acl = New-Object -TypeName Security.AccessControl.DirectorySecurity
$acl.SetAccessRuleProtection($true, $false)
foreach ($sid in 'S-1-5-18', 'S-1-5-32-544') {
    $who = New-Object -TypeName Security.Principal.SecurityIdentifier -ArgumentList $sid
    $parts = $who, 'FullControl', 'ContainerInherit, ObjectInherit', 'None', 'Allow'
    $acl.AddAccessRule((New-Object -TypeName Security.AccessControl.FileSystemAccessRule -ArgumentList $parts))
}
# Whoever made the folder before would else own it still, and could open it again.
$acl.SetOwner((New-Object -TypeName Security.Principal.SecurityIdentifier -ArgumentList 'S-1-5-32-544'))
Set-Acl -LiteralPath $path -AclObject $acl

# By SID: an account of a domain that can't be reached has no name.
$sidType = [Security.Principal.SecurityIdentifier]
$readers = @((Get-Acl -LiteralPath $path).GetAccessRules($true, $true, $sidType) | ForEach-Object { $_.IdentityReference.Value })
[ordered]@{ path = $path; readers = $readers } | ConvertTo-Json -Compress -Depth 3
