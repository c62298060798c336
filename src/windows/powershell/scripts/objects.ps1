# Writes each object of every stream as one line of JSON, as it comes. A line begins with the record separator of RFC 7464, so
# that text which something else writes to standard output can be told apart.

function ConvertTo-JsonString {
    param([string]$Text)
    if ($Text -notmatch '[\x00-\x1f"\\\ud800-\udfff]') {
        return '"' + $Text + '"'
    }
    $built = New-Object -TypeName Text.StringBuilder
    for ($i = 0; $i -lt $Text.Length; $i++) {
        $char = $Text[$i]
        $code = [int]$char
        if ($code -eq 34 -or $code -eq 92) {
            [void]$built.Append('\').Append($char)
        } elseif ([char]::IsHighSurrogate($char) -and $i + 1 -lt $Text.Length -and [char]::IsLowSurrogate($Text[$i + 1])) {
            [void]$built.Append($char).Append($Text[$i + 1])
            $i++
        } elseif ($code -lt 32 -or [char]::IsSurrogate($char)) {
            # A surrogate alone has no UTF-8.
            [void]$built.Append('\u').Append($code.ToString('x4', [Globalization.CultureInfo]::InvariantCulture))
        } else {
            [void]$built.Append($char)
        }
    }
    '"' + [string]$built + '"'
}

function ConvertTo-JsonValue {
    param($Value, [int]$Depth)
    if ($null -eq $Value) {
        return 'null'
    }
    $culture = [Globalization.CultureInfo]::InvariantCulture
    $base = $Value
    if ($Value -is [psobject]) {
        $base = $Value.PSObject.BaseObject
    }
    if ($base -is [string] -or $base -is [char]) {
        return ConvertTo-JsonString -Text $base
    }
    if ($base -is [bool]) {
        if ($base) {
            return 'true'
        }
        return 'false'
    }
    if ($base -is [enum]) {
        return ConvertTo-JsonString -Text ([string]$base)
    }
    if ($base -is [double] -or $base -is [single]) {
        if ([double]::IsNaN($base) -or [double]::IsInfinity($base)) {
            return ConvertTo-JsonString -Text $base.ToString($culture)
        }
        return $base.ToString('R', $culture)
    }
    if ($base -is [datetime] -or $base -is [DateTimeOffset]) {
        return ConvertTo-JsonString -Text $base.ToString('o', $culture)
    }
    if ($base -is [timespan]) {
        return ConvertTo-JsonString -Text $base.ToString('c', $culture)
    }
    $type = $base.GetType()
    if ($type.IsPrimitive -or $base -is [decimal] -or $type.FullName -eq 'System.Numerics.BigInteger') {
        return ConvertTo-JsonNumber -Value $base
    }
    $isText = $base -is [guid] -or $base -is [version] -or $base -is [uri] -or $base -is [type] -or $base -is [scriptblock]
    if ($isText -or $Depth -le 0 -or $base -is [Globalization.CultureInfo] -or $base -is [Net.IPAddress] -or $base -is [Xml.XmlNode]) {
        return ConvertTo-JsonString -Text ([string]$Value)
    }
    if ($base -is [Collections.IDictionary]) {
        $members = foreach ($key in $base.Keys) {
            (ConvertTo-JsonString -Text ([string]$key)) + ':' + (ConvertTo-JsonValue -Value $base[$key] -Depth ($Depth - 1))
        }
        return '{' + (@($members) -join ',') + '}'
    }
    if ($base -is [Collections.IEnumerable]) {
        $items = foreach ($item in $base) {
            ConvertTo-JsonValue -Value $item -Depth ($Depth - 1)
        }
        return '[' + (@($items) -join ',') + ']'
    }
    $members = foreach ($property in $Value.PSObject.Properties) {
        if ($property.IsGettable) {
            # A property may throw when it is read, as ExitCode of a process that still runs.
            $content = $null
            try {
                $content = $property.Value
            } catch {
                $content = $null
            }
            (ConvertTo-JsonString -Text $property.Name) + ':' + (ConvertTo-JsonValue -Value $content -Depth ($Depth - 1))
        }
    }
    '{' + (@($members) -join ',') + '}'
}

# JavaScript's numbers are exact up to 2^53; what is longer goes as text.
function ConvertTo-JsonNumber {
    param($Value)
    $text = [string]::Format([Globalization.CultureInfo]::InvariantCulture, '{0}', $Value)
    if ($Value -is [IntPtr] -or $Value -is [UIntPtr] -or [math]::Abs([double]$text) -gt 9007199254740991) {
        return '"' + $text + '"'
    }
    $text
}

function ConvertTo-ObjectRecord {
    param($Value, [int]$Depth)
    $type = 'null'
    if ($Value -is [Management.Automation.ErrorRecord]) {
        $name = $Value.Exception.GetType().FullName
        $type = ConvertTo-JsonString -Text $name
        $line = 0
        if ($Value.InvocationInfo) {
            $line = [int]$Value.InvocationInfo.ScriptLineNumber
        }
        $message = ConvertTo-JsonString -Text ([string]$Value)
        $id = ConvertTo-JsonString -Text ([string]$Value.FullyQualifiedErrorId)
        return '{"stream":"error","type":' + $type + ',"message":' + $message + ',"id":' + $id + ',"line":' + $line + '}'
    }
    if ($null -ne $Value) {
        $type = ConvertTo-JsonString -Text ([string]@($Value.PSObject.TypeNames)[0])
    }
    $stream = ''
    if ($Value -is [Management.Automation.WarningRecord]) {
        $stream = 'warning'
    } elseif ($Value -is [Management.Automation.VerboseRecord]) {
        $stream = 'verbose'
    } elseif ($Value -is [Management.Automation.DebugRecord]) {
        $stream = 'debug'
    } elseif ($Value -is [Management.Automation.InformationRecord]) {
        $stream = 'information'
    }
    if ($stream) {
        return '{"stream":"' + $stream + '","type":' + $type + ',"message":' + (ConvertTo-JsonString -Text ([string]$Value)) + '}'
    }
    '{"stream":"output","type":' + $type + ',"value":' + (ConvertTo-JsonValue -Value $Value -Depth $Depth) + '}'
}

function Write-ObjectRecord {
    param([int]$Depth)
    begin {
        $encoding = New-Object -TypeName Text.UTF8Encoding -ArgumentList $false
        $writer = New-Object -TypeName IO.StreamWriter -ArgumentList ([Console]::OpenStandardOutput()), $encoding, 65536
    }
    process {
        $writer.Write([string][char]30 + (ConvertTo-ObjectRecord -Value $_ -Depth $Depth) + "`n")
        $writer.Flush()
    }
}
