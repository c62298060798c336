# Reads the one argument that every script takes: base64 of UTF-8 of JSON. Stands before each script when it is composed.
# PowerShell 7 turns strings that look like dates into dates. That is why each string in the JSON begins with "=".
function ConvertFrom-Argument {
    param([string]$Argument)
    function Remove-Guard {
        param($Value)
        if ($Value -is [string]) {
            return $Value.Substring(1)
        }
        if ($Value -is [array]) {
            $items = @(foreach ($item in $Value) { Remove-Guard -Value $item })
            return , $items
        }
        if ($Value -is [Management.Automation.PSCustomObject]) {
            foreach ($property in $Value.PSObject.Properties) {
                $property.Value = Remove-Guard -Value $property.Value
            }
        }
        return , $Value
    }
    $json = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($Argument))
    Remove-Guard -Value ($json | ConvertFrom-Json)
}
