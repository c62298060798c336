# What several scripts share; it is put behind their param line.

# What a query finds: nothing where there is nothing. Any other error, such as "access is denied", stays one.
function Get-Found {
    param([scriptblock]$Query)
    try {
        & $Query
    } catch {
        if ($_.CategoryInfo.Category -ne 'ObjectNotFound') {
            throw
        }
    }
}
