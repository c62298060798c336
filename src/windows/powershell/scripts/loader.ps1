# Starts the PowerShell that stays: the rest of its text (host.ps1) comes as the first line of standard input, in base64.
$utf8 = New-Object -TypeName Text.UTF8Encoding -ArgumentList $false
$reader = New-Object -TypeName IO.StreamReader -ArgumentList ([Console]::OpenStandardInput()), $utf8
. ([ScriptBlock]::Create($utf8.GetString([Convert]::FromBase64String($reader.ReadLine()))))
