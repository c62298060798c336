# Runs a script of the user's with named parameters. Its output is its own; its exit code is its own `exit`, or 1 if it ends
# by an error, or that of the last program it ran where that failed last.
# Argument: {"script": "...", "parameters": {"Name": "value"}}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$parameters = @{}
foreach ($property in $request.parameters.PSObject.Properties) {
    $parameters[$property.Name] = $property.Value
}
& ([scriptblock]::Create($request.script)) @parameters
if ($?) {
    exit 0
}
if ($LASTEXITCODE) {
    exit $LASTEXITCODE
}
exit 1
