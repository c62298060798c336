# Writes each object of every stream as one line of JSON, as it comes. A line begins with the record separator of RFC 7464 and
# a mark that only our client knows, so that whatever else is written to standard output can be told apart. A call of a function is what costs most here:
# common values are written where they are met, and what was found out of a type or a name is kept.

function New-JsonWriter {
    param([string]$Mark)
    $culture = [Globalization.CultureInfo]::InvariantCulture
    $lone = '[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]'
    @{
        Mark = [string][char]30 + $Mark + ' '
        Text = New-Object -TypeName Text.StringBuilder
        Culture = $culture
        # How values of a type are written, by type; names in quotes, by name.
        Kinds = New-Object -TypeName 'Collections.Generic.Dictionary[type,string]'
        Names = New-Object -TypeName 'Collections.Generic.Dictionary[string,string]'
        Special = New-Object -TypeName Text.RegularExpressions.Regex -ArgumentList '[\x00-\x1f"\\\ud800-\udfff]'
        # A surrogate alone has no UTF-8.
        Coded = New-Object -TypeName Text.RegularExpressions.Regex -ArgumentList "[\x00-\x1f]|$lone"
        # What a Format cmdlet has laid out so far.
        Laid = New-Object -TypeName Collections.ArrayList
    }
}

function ConvertTo-JsonString {
    param($Writer, [string]$Text)
    if (-not $Writer.Special.IsMatch($Text)) {
        return '"' + $Text + '"'
    }
    $Text = $Text.Replace('\', '\\').Replace('"', '\"').Replace("`n", '\n').Replace("`r", '\r').Replace("`t", '\t')
    $built = New-Object -TypeName Text.StringBuilder -ArgumentList '"'
    $done = 0
    foreach ($match in $Writer.Coded.Matches($Text)) {
        $code = ([int]$Text[$match.Index]).ToString('x4', $Writer.Culture)
        [void]$built.Append($Text, $done, $match.Index - $done).Append('\u').Append($code)
        $done = $match.Index + 1
    }
    [string]$built.Append($Text, $done, $Text.Length - $done).Append('"')
}

function Get-JsonName {
    param($Writer, [string]$Name)
    $quoted = $null
    if (-not $Writer.Names.TryGetValue($Name, [ref]$quoted)) {
        $quoted = ConvertTo-JsonString -Writer $Writer -Text $Name
        $Writer.Names[$Name] = $quoted
    }
    $quoted
}

function Get-JsonKind {
    param([type]$Type)
    $known = @{
        [string] = 'string'; [char] = 'string'; [bool] = 'bool'; [double] = 'float'; [single] = 'float'
        [datetime] = 'date'; [DateTimeOffset] = 'date'; [timespan] = 'timespan'
    }
    if ($known.ContainsKey($Type)) {
        return $known[$Type]
    }
    if ($Type.IsEnum) {
        return 'enum'
    }
    if ($Type.IsPrimitive -or $Type -eq [decimal] -or $Type.FullName -eq 'System.Numerics.BigInteger') {
        return 'number'
    }
    foreach ($text in [guid], [version], [uri], [type], [scriptblock], [Globalization.CultureInfo], [Net.IPAddress]) {
        if ($text.IsAssignableFrom($Type)) {
            return 'text'
        }
    }
    if ([Xml.XmlNode].IsAssignableFrom($Type)) {
        return 'xml'
    }
    if ($Type.FullName -eq 'System.Data.DataRow' -or $Type.FullName -eq 'System.Data.DataTable') {
        return $Type.Name
    }
    if ([Collections.IDictionary].IsAssignableFrom($Type)) {
        return 'dictionary'
    }
    if ([Collections.IEnumerable].IsAssignableFrom($Type)) {
        return 'list'
    }
    if ($Type.FullName -like 'Microsoft.PowerShell.Commands.Internal.Format.*') {
        return 'format'
    }
    if ([Management.Automation.ErrorRecord].IsAssignableFrom($Type)) {
        return 'error'
    }
    foreach ($stream in 'Warning', 'Verbose', 'Debug', 'Information') {
        if ($Type.FullName -eq "System.Management.Automation.${stream}Record") {
            return $stream.ToLowerInvariant()
        }
    }
    'object'
}

function Find-JsonKind {
    param($Writer, [type]$Type)
    $kind = $null
    if (-not $Writer.Kinds.TryGetValue($Type, [ref]$kind)) {
        $kind = Get-JsonKind -Type $Type
        $Writer.Kinds[$Type] = $kind
    }
    $kind
}

# Members of an object: pairs of name and value.
function Add-JsonMember {
    param($Writer, $Members, [int]$Depth)
    $text = $Writer.Text
    $mark = '{'
    foreach ($member in $Members) {
        if ($member.IsGettable -eq $false) {
            continue
        }
        $name = $null
        if (-not $Writer.Names.TryGetValue($member.Name, [ref]$name)) {
            $name = Get-JsonName -Writer $Writer -Name $member.Name
        }
        # A property may throw when it is read, as ExitCode of a process that still runs.
        $content = $null
        try {
            $content = $member.Value
        } catch {
            $content = $null
        }
        [void]$text.Append($mark).Append($name).Append(':')
        $mark = ','
        if ($null -eq $content) {
            [void]$text.Append('null')
        } elseif ($content -is [string] -and -not $Writer.Special.IsMatch($content)) {
            [void]$text.Append('"').Append([string]$content).Append('"')
        } elseif ($content -is [int]) {
            [void]$text.Append(([int]$content).ToString($Writer.Culture))
        } else {
            Add-JsonValue -Writer $Writer -Value $content -Depth $Depth
        }
    }
    if ($mark -eq '{') {
        [void]$text.Append('{')
    }
    [void]$text.Append('}')
}

function Add-JsonList {
    param($Writer, $Items, [int]$Depth)
    $mark = '['
    foreach ($item in $Items) {
        [void]$Writer.Text.Append($mark)
        $mark = ','
        Add-JsonValue -Writer $Writer -Value $item -Depth $Depth
    }
    if ($mark -eq '[') {
        [void]$Writer.Text.Append('[')
    }
    [void]$Writer.Text.Append(']')
}

function Add-JsonValue {
    param($Writer, $Value, [int]$Depth)
    $text = $Writer.Text
    if ($null -eq $Value) {
        [void]$text.Append('null')
        return
    }
    $base = $Value
    if ($Value -is [psobject]) {
        $base = $Value.PSObject.BaseObject
    }
    $kind = Find-JsonKind -Writer $Writer -Type $base.GetType()
    if ($kind -eq 'number') {
        [void]$text.Append((ConvertTo-JsonNumber -Value $base -Culture $Writer.Culture))
        return
    }
    if ($kind -eq 'bool') {
        [void]$text.Append(([string]$base).ToLowerInvariant())
        return
    }
    $isDeep = $Depth -gt 0
    if ($isDeep -and $kind -eq 'dictionary') {
        $pairs = foreach ($key in $base.Keys) { @{ Name = [string]$key; Value = $base[$key] } }
        Add-JsonMember -Writer $Writer -Members $pairs -Depth ($Depth - 1)
        return
    }
    if ($isDeep -and $kind -eq 'list') {
        Add-JsonList -Writer $Writer -Items $base -Depth ($Depth - 1)
        return
    }
    if ($isDeep -and $kind -eq 'DataTable') {
        Add-JsonList -Writer $Writer -Items $base.Rows -Depth ($Depth - 1)
        return
    }
    if ($isDeep -and $kind -eq 'DataRow') {
        $pairs = foreach ($column in $base.Table.Columns) { @{ Name = $column.ColumnName; Value = $base[$column] } }
        Add-JsonMember -Writer $Writer -Members $pairs -Depth ($Depth - 1)
        return
    }
    if ($base -is [DBNull]) {
        [void]$text.Append('null')
        return
    }
    $string = switch ($kind) {
        'enum' { [string]$base }
        'date' { $base.ToString('o', $Writer.Culture) }
        'timespan' { $base.ToString('c', $Writer.Culture) }
        'float' { $base.ToString('R', $Writer.Culture) }
        'string' { [string]$base }
        'text' { [string]$Value }
        'xml' { $base.OuterXml }
        default {
            if (-not $isDeep) {
                [string]$Value
            }
        }
    }
    if ($null -eq $string) {
        Add-JsonMember -Writer $Writer -Members $Value.PSObject.Properties -Depth ($Depth - 1)
    } elseif ($kind -eq 'float' -and -not [double]::IsNaN($base) -and -not [double]::IsInfinity($base)) {
        [void]$text.Append($string)
    } else {
        [void]$text.Append((ConvertTo-JsonString -Writer $Writer -Text $string))
    }
}

# JavaScript's numbers are exact up to 2^53; what is longer goes as text.
function ConvertTo-JsonNumber {
    param($Value, $Culture)
    $text = [string]::Format($Culture, '{0}', $Value)
    if ($Value -is [IntPtr] -or $Value -is [UIntPtr] -or [math]::Abs([double]$text) -gt 9007199254740991) {
        return '"' + $text + '"'
    }
    $text
}

# An error with where it came from.
function Get-JsonError {
    param($Writer, $ErrorRecord)
    $line = 0
    if ($ErrorRecord.InvocationInfo) {
        $line = [int]$ErrorRecord.InvocationInfo.ScriptLineNumber
    }
    $type = Get-JsonName -Writer $Writer -Name ($ErrorRecord.Exception.GetType().FullName)
    $message = ConvertTo-JsonString -Writer $Writer -Text ([string]$ErrorRecord)
    $id = ConvertTo-JsonString -Writer $Writer -Text ([string]$ErrorRecord.FullyQualifiedErrorId)
    '{"stream":"error","type":' + $type + ',"message":' + $message + ',"id":' + $id + ',"line":' + $line + '}'
}

function Add-ObjectRecord {
    param($Writer, $Value, [int]$Depth)
    $type = 'null'
    $kind = 'null'
    if ($null -ne $Value) {
        $type = Get-JsonName -Writer $Writer -Name ([string]$Value.PSObject.TypeNames[0])
        $kind = Find-JsonKind -Writer $Writer -Type $Value.PSObject.BaseObject.GetType()
    }
    if ($kind -eq 'format') {
        Add-LaidRecord -Writer $Writer -Value $Value
        return
    }
    [void]$Writer.Text.Append($Writer.Mark)
    if ($kind -eq 'error') {
        [void]$Writer.Text.Append((Get-JsonError -Writer $Writer -ErrorRecord $Value))
    } elseif ('warning', 'verbose', 'debug', 'information' -contains $kind) {
        [void]$Writer.Text.Append('{"stream":"').Append($kind).Append('","type":').Append($type).Append(',"message":')
        [void]$Writer.Text.Append((ConvertTo-JsonString -Writer $Writer -Text ([string]$Value))).Append('}')
    } else {
        [void]$Writer.Text.Append('{"stream":"output","type":').Append($type).Append(',"value":')
        Add-JsonValue -Writer $Writer -Value $Value -Depth $Depth
        [void]$Writer.Text.Append('}')
    }
    [void]$Writer.Text.Append("`n")
}

# What a Format cmdlet makes is layout and no data: its text goes out, a record a line.
function Add-LaidRecord {
    param($Writer, $Value)
    [void]$Writer.Laid.Add($Value)
    if ($Value.GetType().Name -ne 'FormatEndData') {
        return
    }
    $lines = $Writer.Laid | Microsoft.PowerShell.Utility\Out-String -Stream -Width 4096
    $Writer.Laid.Clear()
    foreach ($line in $lines) {
        Add-ObjectRecord -Writer $Writer -Value $line -Depth 1
    }
}

function Write-ObjectRecord {
    param([int]$Depth, [string]$Mark)
    begin {
        Set-StrictMode -Off
        $ErrorActionPreference = 'Stop'
        $encoding = New-Object -TypeName Text.UTF8Encoding -ArgumentList $false
        $stream = New-Object -TypeName IO.StreamWriter -ArgumentList ([Console]::OpenStandardOutput()), $encoding, 65536
        $writer = New-JsonWriter -Mark $Mark
    }
    process {
        Add-ObjectRecord -Writer $writer -Value $_ -Depth $Depth
        $stream.Write([string]$writer.Text)
        $stream.Flush()
        [void]$writer.Text.Clear()
    }
}
