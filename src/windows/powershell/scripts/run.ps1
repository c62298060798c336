# What runs PowerShell of the user's: a command, or a script as a file of its own in a folder of its own. Output, errors and
# exit code are theirs, and so is standard input. compose.ts puts the calls behind these functions; environment.ps1 stands before
# them, and where they
# are needed parameters.ps1 and objects.ps1.
# Request: {"kind": "command" | "script" | "check", "text": "...", "name": "deploy.ps1", "folder": ".win-automation-...",
#   "parameters": {"Name": value}, "error_action": "stop" | "continue", "depth": 2, and what environment.ps1 takes}

# The one variable of ours while the user's text runs, which may use any other name.
function New-Run {
    param([string]$Argument)
    $global:LASTEXITCODE = 0
    $global:WinAutomationSucceeded = $null
    $here = (Get-Location -PSProvider FileSystem).ProviderPath
    @{ Request = ConvertFrom-Argument -Argument $Argument; Home = $here; Error = $null; Folder = $null; Returned = $true; Last = $null }
}

# The text with a last line that keeps whether its last command succeeded. It stays as it is where such a line can't stand: in
# a text with named blocks or a signature, or one that does not parse, which is left for PowerShell to say.
function Add-Epilogue {
    param([string]$Text)
    $tokens = $faults = $null
    $ast = [Management.Automation.Language.Parser]::ParseInput($Text, [ref]$tokens, [ref]$faults)
    $isPlain = $faults.Count -eq 0 -and $ast.EndBlock -and $ast.EndBlock.Unnamed
    if ($isPlain -and $Text -cnotmatch '(?m)^# SIG # Begin signature block') {
        return "$Text`n`$global:WinAutomationSucceeded = `$?`n"
    }
    $Text
}

# The command as code. Faults are thrown as the parser words them.
function New-UserCommand {
    param($Run)
    $tokens = $faults = $null
    $text = Add-Epilogue -Text $Run.Request.text
    $ast = [Management.Automation.Language.Parser]::ParseInput($text, [ref]$tokens, [ref]$faults)
    if ($faults.Count -gt 0) {
        throw (New-Object -TypeName Management.Automation.ParseException -ArgumentList (, $faults))
    }
    $ast.GetScriptBlock()
}

# The file that is to run, or where policy lets no file run, the same text with the file's name in its positions.
function New-UserScript {
    param($Run)
    $Run.Folder = Join-Path -Path $Run.Home -ChildPath $Run.Request.folder
    [void][IO.Directory]::CreateDirectory($Run.Folder)
    $file = Join-Path -Path $Run.Folder -ChildPath $Run.Request.name
    $text = Add-Epilogue -Text $Run.Request.text
    if ('Restricted', 'AllSigned' -contains [string](Get-ExecutionPolicy)) {
        $tokens = $faults = $null
        $ast = [Management.Automation.Language.Parser]::ParseInput($text, $file, [ref]$tokens, [ref]$faults)
        if ($faults.Count -eq 0) {
            return $ast.GetScriptBlock()
        }
    }
    # With a byte order mark: Windows PowerShell takes a file without one for ANSI.
    [IO.File]::WriteAllText($file, $text, (New-Object -TypeName Text.UTF8Encoding -ArgumentList $true))
    $file
}

# Standard input as lines, for texts that say $input.
function Read-InputLine {
    $encoding = New-Object -TypeName Text.UTF8Encoding -ArgumentList $false
    $reader = New-Object -TypeName IO.StreamReader -ArgumentList ([Console]::OpenStandardInput()), $encoding
    while ($null -ne ($line = $reader.ReadLine())) {
        $line
    }
}

# Windows PowerShell takes what a program writes to a merged standard error for an error that stops.
function Test-ErrorMerge {
    param($Run)
    $Run.Request.error_action -eq 'continue' -or $PSVersionTable.PSVersion.Major -ge 7
}

# An error that ended the run, as PowerShell words it.
function Write-RunError {
    param($Run)
    if ($null -ne $Run.Error) {
        [Console]::Error.WriteLine(($Run.Error | Out-String -Width 4096).Trim())
    }
}

# Removes the folder of the run and sets the exit code, by SetShouldExit: exit would lose a table that is still being laid out.
# An exit of a script shows in that the call did not succeed; a return leaves the code of some earlier program behind.
function Complete-Run {
    param($Run)
    if ($Run.Folder) {
        Set-Location -LiteralPath ([IO.Path]::GetPathRoot($Run.Folder))
        [Environment]::CurrentDirectory = [IO.Path]::GetPathRoot($Run.Folder)
        try {
            [IO.Directory]::Delete($Run.Folder, $true)
        } catch {
            [Console]::Error.WriteLine("win-automation: $($Run.Folder) could not be removed: $($_.Exception.GetBaseException().Message)")
        }
    }
    $code = 0
    $program = [int]$global:LASTEXITCODE
    if ($null -ne $Run.Error) {
        $code = 1
    } elseif ($Run.Request.kind -eq 'check' -and $Run.Last -is [bool] -and -not $Run.Last) {
        $code = 1
    } elseif ($global:WinAutomationSucceeded -eq $false) {
        $code = $program
        # As -Command and -File do for a cmdlet that failed without a word.
        if ($program -eq 0 -and $Run.Request.kind -ne 'script') {
            $code = 1
        }
    } elseif ($null -eq $global:WinAutomationSucceeded -and -not $Run.Returned) {
        $code = $program
    }
    $Host.SetShouldExit($code)
}
