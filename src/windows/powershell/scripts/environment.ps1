# Prepares what runs for a user: environment variables, and the folder it starts in. What can't be done refuses the run.
# Request: {"refusal": "...", "cwd": "" or "C:\\...", "env": {"NAME": "value"}}

# Ends this PowerShell before anything of the user's ran. The line begins with a control character and a word that only our
# client knows, so that nothing a user prints is taken for it.
function Stop-RefusedRun {
    param([string]$Refusal, [string[]]$Problem)
    $json = ConvertTo-Json -Compress -InputObject @($Problem)
    [Console]::Error.Write([char]1 + $Refusal + ' ' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($json)) + "`n")
    exit 2
}

function Set-RunEnvironment {
    param($Request)
    foreach ($variable in $Request.env.PSObject.Properties) {
        [Environment]::SetEnvironmentVariable($variable.Name, $variable.Value)
    }
}

# Programs and .NET start where the process is; cmdlets where PowerShell is.
function Set-RunLocation {
    param($Request)
    if (-not $Request.cwd) {
        return
    }
    $found = Resolve-Path -LiteralPath $Request.cwd -ErrorAction SilentlyContinue
    if (-not $found -or $found.Provider.Name -ne 'FileSystem' -or -not (Test-Path -LiteralPath $Request.cwd -PathType Container)) {
        Stop-RefusedRun -Refusal $Request.refusal -Problem "there is no folder $($Request.cwd) on the host"
    }
    Set-Location -LiteralPath $Request.cwd
    [Environment]::CurrentDirectory = (Get-Location -PSProvider FileSystem).ProviderPath
}
