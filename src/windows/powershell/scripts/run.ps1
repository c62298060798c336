# What runs PowerShell of the user's: a command, or a script as a file of its own in a folder of its own. Output, errors and
# exit code are theirs, and so is standard input. compose.ts puts the calls around these functions, which stand in a module of
# their own: the user's text sees none of them, and takes none of them away. environment.ps1 stands before them, and where they
# are needed parameters.ps1 and objects.ps1.
# Request: {"kind": "command" | "script" | "check", "text": "...", "name": "deploy.ps1", "folder": ".win-automation-...",
#   "parameters": {"Name": value}, "error_action": "stop" | "continue", "depth": 2, and what environment.ps1 takes}

# Makes everything ready. $Run is the one variable of ours that the user's text could see.
function Initialize-Run {
    param($Run, [string]$Argument, [switch]$ReadsInput)
    $request = ConvertFrom-Argument -Argument $Argument
    $Run.Request = $request
    # Not by cmdlets: each module that is loaded takes tens of milliseconds of every run.
    $Run.Home = $ExecutionContext.SessionState.Path.CurrentFileSystemLocation.ProviderPath
    Set-RunEnvironment -Request $request
    if ($request.kind -eq 'script') {
        $Run.Parameters = Resolve-Parameter -Request $request
    }
    Set-RunLocation -Request $request
    if ($request.kind -eq 'script') {
        $Run.Code = New-UserScript -Run $Run
    } else {
        $Run.Code = New-UserCommand -Run $Run
    }
    $Run.Call = New-HiddenCall -Text (Get-CallText -Kind $request.kind -ReadsInput:$ReadsInput)
    $Run.ReadInput = ${function:Read-InputLine}
    $Run.KeepLast = { process { $Run.Last = $_; $_ } }.GetNewClosure()
    $Run.MergesErrors = Test-ErrorMerge -Run $Run
    if ($null -ne ${function:Write-ObjectRecord}) {
        $Run.WriteRecord = ${function:Write-ObjectRecord}
    }
    $global:Error.Clear()
}

# How the code is called: dot-sourced, as PowerShell itself does with a script that it is started with.
function Get-CallText {
    param([string]$Kind, [switch]$ReadsInput)
    $text = '. $WinAutomationRun.Code'
    if ($Kind -eq 'script') {
        $text = '. $WinAutomationRun.Code @WinAutomationParameters'
    }
    if ($ReadsInput) {
        $text = '& $WinAutomationRun.ReadInput | ' + $text
    }
    if ($Kind -eq 'check') {
        return $text + ' | & $WinAutomationRun.KeepLast'
    }
    $text + "; ([AppDomain]::CurrentDomain.GetData('WinAutomationRun')).Returned = `$?"
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

# The command as code. Faults are an error as the parser words it.
function New-UserCommand {
    param($Run)
    $tokens = $faults = $null
    $text = Add-Epilogue -Text $Run.Request.text
    $ast = [Management.Automation.Language.Parser]::ParseInput($text, [ref]$tokens, [ref]$faults)
    if ($faults.Count -gt 0) {
        $Run.Error = (New-Object -TypeName Management.Automation.ParseException -ArgumentList (, $faults)).ErrorRecord
        return $null
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
    $tokens = $faults = $null
    $ast = [Management.Automation.Language.Parser]::ParseInput($text, $file, [ref]$tokens, [ref]$faults)
    if ($faults.Count -gt 0 -and $faults[0].IncompleteInput) {
        # PowerShell says nothing of some of these.
        $Run.Error = (New-Object -TypeName Management.Automation.ParseException -ArgumentList (, $faults)).ErrorRecord
        return $null
    }
    if ($faults.Count -eq 0 -and 'Restricted', 'AllSigned' -contains [string](Get-ExecutionPolicy)) {
        return $ast.GetScriptBlock()
    }
    # With a byte order mark: Windows PowerShell takes a file without one for ANSI.
    [IO.File]::WriteAllText($file, $text, (New-Object -TypeName Text.UTF8Encoding -ArgumentList $true))
    $file
}

# A call as code whose commands have no position, as what PowerShell starts by itself has none: else errors that are told where
# the script was called would show a line of ours.
function New-HiddenCall {
    param([string]$Text)
    $language = 'Management.Automation.Language'
    $tokens = $faults = $null
    $parsed = [Management.Automation.Language.Parser]::ParseInput($Text, [ref]$tokens, [ref]$faults).EndBlock.Statements
    $nowhere = New-Object -TypeName "$language.ScriptPosition" -ArgumentList '', 0, 0, ''
    $extent = New-Object -TypeName "$language.ScriptExtent" -ArgumentList $nowhere, $nowhere
    $commands = foreach ($command in $parsed[0].PipelineElements) {
        [Management.Automation.Language.CommandElementAst[]]$words = foreach ($word in $command.CommandElements) { $word.Copy() }
        New-Object -TypeName "$language.CommandAst" -ArgumentList $extent, $words, $command.InvocationOperator, $null
    }
    $commands = [Management.Automation.Language.CommandBaseAst[]]@($commands)
    [Management.Automation.Language.StatementAst[]]$statements = @(
        New-Object -TypeName "$language.PipelineAst" -ArgumentList $extent, $commands
        $parsed | Select-Object -Skip 1 | ForEach-Object -Process { $_.Copy() }
    )
    $block = New-Object -TypeName "$language.StatementBlockAst" -ArgumentList $extent, $statements, $null
    (New-Object -TypeName "$language.ScriptBlockAst" -ArgumentList $extent, $null, $block, $false).GetScriptBlock()
}

# Inside a try, PowerShell lets an error that ends one statement end everything. The user's text is inside ours, which is none
# of its business: it must go on where it would by itself. Where the engine has no such switch, such errors end the run.
function Disable-ErrorPropagation {
    $hidden = [Reflection.BindingFlags]'Instance, NonPublic'
    $field = $ExecutionContext.GetType().GetField('_context', $hidden)
    if ($null -eq $field) {
        return
    }
    $context = $field.GetValue($ExecutionContext)
    $switch = $context.GetType().GetProperty('PropagateExceptionsToEnclosingStatementBlock', $hidden)
    if ($null -ne $switch) {
        $switch.SetValue($context, $false, $null)
    }
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

# An error that ended the run, as PowerShell words it. It has no words for some texts that end too early.
function Write-RunError {
    param($Run)
    Set-StrictMode -Off
    if ($null -eq $Run.Error) {
        return
    }
    $text = ($Run.Error | Microsoft.PowerShell.Utility\Out-String -Width 4096).Trim()
    if ($text -eq '') {
        $text = $Run.Error.Exception.Message.Trim()
    }
    # In an advanced script PowerShell words some errors without their place; the stack has it. Write-Error means to have none.
    $place = @(([string]$Run.Error.ScriptStackTrace) -split "`r?`n")[0]
    $isMeant = $Run.Error.Exception.GetType().Name -eq 'WriteErrorException'
    if ($Run.Request.kind -eq 'script' -and $place -and -not $isMeant -and -not $Run.Error.InvocationInfo.ScriptLineNumber) {
        $text = "$text`n$place"
    }
    [Console]::Error.WriteLine($text)
}

# Removes the folder of the run and sets the exit code, by SetShouldExit: exit would lose a table that is still being laid out.
# An exit of a script shows in that the call did not succeed; a return leaves the code of some earlier program behind.
function Complete-Run {
    param($Run)
    Set-StrictMode -Off
    $ErrorActionPreference = 'Stop'
    if ($Run.Folder) {
        $root = [IO.Path]::GetPathRoot($Run.Folder)
        [void]$ExecutionContext.SessionState.Path.SetLocation($root)
        [Environment]::CurrentDirectory = $root
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
        # An exit has left its code, and a script that could not be called at all has left none.
        $code = $program
        if ($program -eq 0) {
            $code = 1
        }
    }
    # A text that said SetShouldExit itself has its way.
    if ($code -ne 0) {
        $Host.SetShouldExit($code)
    }
}
