# Turns the values that a user gave for a script's parameters into what the script declares. A name that it does not declare,
# or a value that is not of its type, refuses the run. Request.parsed has what is JSON in text, for hashtables.

# What a script declares: names and types, and whether it takes the parameters that every cmdlet has.
function Get-DeclaredParameter {
    param([string]$Text)
    $tokens = $faults = $null
    $ast = [Management.Automation.Language.Parser]::ParseInput($Text, [ref]$tokens, [ref]$faults)
    $types = @{}
    $words = @()
    $isOpen = $faults.Count -gt 0 -or $null -ne $ast.DynamicParamBlock
    if ($ast.ParamBlock) {
        $bindings = @($ast.ParamBlock.Attributes | Where-Object { $_.TypeName.Name -eq 'CmdletBinding' })
        $isAdvanced = $bindings.Count -gt 0
        $common = @([Management.Automation.PSCmdlet]::CommonParameters)
        if (@($bindings | ForEach-Object { $_.NamedArguments } | Where-Object { $_.ArgumentName -eq 'SupportsShouldProcess' }).Count -gt 0) {
            $common += 'WhatIf', 'Confirm'
        }
        foreach ($parameter in $ast.ParamBlock.Parameters) {
            $name = $parameter.Name.VariablePath.UserPath
            $types[$name] = $parameter.StaticType
            $words += "$name [$($parameter.StaticType.Name)]"
            foreach ($attribute in $parameter.Attributes) {
                if ($attribute.TypeName.Name -eq 'Alias') {
                    foreach ($alias in $attribute.PositionalArguments) {
                        $types[[string]$alias.Value] = $parameter.StaticType
                    }
                }
                if ($attribute.TypeName.Name -eq 'Parameter') {
                    $isAdvanced = $true
                }
            }
        }
        if ($isAdvanced) {
            foreach ($name in $common) {
                if (-not $types.ContainsKey($name)) {
                    $types[$name] = [object]
                    if ('Verbose', 'Debug', 'WhatIf', 'Confirm' -contains $name) {
                        $types[$name] = [switch]
                    }
                }
            }
        }
    }
    @{ Types = $types; Words = $words; IsOpen = $isOpen }
}

function ConvertTo-Hashtable {
    param($Value)
    if ($Value -is [Management.Automation.PSCustomObject]) {
        $table = @{}
        foreach ($property in $Value.PSObject.Properties) {
            $table[$property.Name] = ConvertTo-Hashtable -Value $property.Value
        }
        return $table
    }
    if ($Value -is [array]) {
        $items = @(foreach ($item in $Value) { ConvertTo-Hashtable -Value $item })
        return , $items
    }
    return , $Value
}

function ConvertTo-Parameter {
    param($Value, [type]$Type, $Parsed)
    if ($Type -eq [switch] -or $Type -eq [bool]) {
        if ('true', '$true', '1' -contains [string]$Value) {
            return $true
        }
        if ('false', '$false', '0' -contains [string]$Value) {
            return $false
        }
        throw "$Value is neither true nor false"
    }
    if ([Collections.IDictionary].IsAssignableFrom($Type)) {
        $object = $Value
        if ($null -ne $Parsed) {
            $object = $Parsed
        }
        if ($object -isnot [Management.Automation.PSCustomObject]) {
            throw "$Value is no JSON object, such as {`"name`": `"value`"}"
        }
        $table = ConvertTo-Hashtable -Value $object
        return [Management.Automation.LanguagePrimitives]::ConvertTo($table, $Type, [Globalization.CultureInfo]::InvariantCulture)
    }
    if ($Type -eq [object] -or $Type -eq [psobject]) {
        $plain = ConvertTo-Hashtable -Value $Value
        return , $plain
    }
    if ($Type.IsArray -and $Type.GetElementType() -ne [object]) {
        $items = @(foreach ($item in @($Value)) { ConvertTo-Parameter -Value $item -Type $Type.GetElementType() })
        return , [Management.Automation.LanguagePrimitives]::ConvertTo($items, $Type, [Globalization.CultureInfo]::InvariantCulture)
    }
    $isOne = $Type -eq [string] -or -not [Collections.IEnumerable].IsAssignableFrom($Type)
    if ($Value -is [array] -and $isOne) {
        throw "it takes one value, and was given $($Value.Count)"
    }
    # A name alone means true, and PowerShell would make text or 1 of that, and 0 of nothing.
    if ($Value -is [bool]) {
        throw 'it takes a value: NAME=VALUE'
    }
    if ($Type -ne [string] -and $Value -is [string] -and $Value.Trim() -eq '') {
        throw 'the value is empty'
    }
    if ($Type -eq [string] -and $Value -is [Management.Automation.PSCustomObject]) {
        throw 'it takes text, and was given an object'
    }
    return , [Management.Automation.LanguagePrimitives]::ConvertTo($Value, $Type, [Globalization.CultureInfo]::InvariantCulture)
}

# The parameters to call the script with.
function Resolve-Parameter {
    param($Request)
    $declared = Get-DeclaredParameter -Text $Request.text
    $values = @{}
    $problems = @()
    foreach ($given in $Request.parameters.PSObject.Properties) {
        $name = $given.Name
        if ($declared.IsOpen) {
            $values[$name] = $given.Value
            continue
        }
        if (-not $declared.Types.ContainsKey($name)) {
            $declares = 'it declares none'
            if ($declared.Words.Count -gt 0) {
                $declares = 'it declares ' + ($declared.Words -join ', ')
            }
            $problems += "parameter ${name}: $($Request.name) declares no such parameter; $declares"
            continue
        }
        try {
            $values[$name] = ConvertTo-Parameter -Value $given.Value -Type $declared.Types[$name] -Parsed $Request.parsed.$name
        } catch {
            $reason = $_.Exception.GetBaseException().Message
            $problems += "parameter ${name} [$($declared.Types[$name].Name)]: $reason"
        }
    }
    if ($problems.Count -gt 0) {
        Stop-RefusedRun -Refusal $Request.refusal -Problem $problems
    }
    $values
}
