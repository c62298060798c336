# Gives back what it was given, for the selftest: text in every script and through every shell.
# Argument: {"text": "..."}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
[ordered]@{ text = [string]$request.text; length = ([string]$request.text).Length } | ConvertTo-Json -Compress
