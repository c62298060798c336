# Gives back what it was given, for the selftest: text in every script and through every shell.
# Argument: {"text": "..."}
param([string]$Argument)

$request = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($Argument)) | ConvertFrom-Json
[ordered]@{ text = [string]$request.text; length = ([string]$request.text).Length } | ConvertTo-Json -Compress
