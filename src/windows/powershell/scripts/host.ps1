# The PowerShell that stays: runs script after script, several at once. loader.ps1 runs this text.
# Requests come on standard input.
# A request is a line of words, TEXT is base64 of UTF-8 or "-" for none:
#   run ID SCRIPT-TEXT ARGUMENT    cancel ID    exit
# and so is an answer, ID being the request's:
#   ready PID                      it takes requests
#   out ID TEXT                    some of what the script printed
#   done ID ok -                   all of it was sent
#   done ID failed TEXT            with the script's reason
#   done ID cancelled -            it was cancelled; nothing of it is left running
#   done ID left TEXT              it was cancelled; something may go on, and this PowerShell should be replaced
#   broken TEXT                    a line that makes no sense was left out
# Each request has a runspace of its own: variables, functions, location, preferences and errors begin afresh. What belongs
# to the process (environment variables, folder, encodings, cultures) is shared by requests that run at the same time, and
# put back whenever nothing runs.
$ErrorActionPreference = 'Stop'
$utf8 = New-Object -TypeName Text.UTF8Encoding -ArgumentList $false
$reader = New-Object -TypeName IO.StreamReader -ArgumentList ([Console]::OpenStandardInput()), $utf8
$writer = New-Object -TypeName IO.StreamWriter -ArgumentList ([Console]::OpenStandardOutput()), $utf8
$writer.NewLine = "`n"
# A wait takes 64 handles at most (Windows).
$maxRunning = 48
$spareCount = 4
# Characters in one answer: what comes of it stays below 85,000 bytes, where .NET's large objects begin.
$chunkLength = 24576
# PowerShell itself may take half a second over a pipeline of programs; the answer has one in all.
$stopTimeoutMs = 750

# Waiting is a list of requests, the others are by id. Spans: of what runs, and of what ran beside it.
$waiting = New-Object -TypeName Collections.ArrayList
$running = @{}
$spans = @{}
$sending = New-Object -TypeName Collections.ArrayList
$spares = New-Object -TypeName Collections.ArrayList
$ended = New-Object -TypeName Collections.ArrayList
$closing = New-Object -TypeName Collections.ArrayList
$isEnding = $false

function ConvertTo-Word {
    param([string]$Text)
    if ($Text -eq '') {
        return '-'
    }
    [Convert]::ToBase64String($utf8.GetBytes($Text))
}

function ConvertFrom-Word {
    param([string]$Word)
    if ($Word -ceq '-') {
        $Word = ''
    }
    return , [Convert]::FromBase64String($Word)
}

function Write-Answer {
    param([string]$Line)
    try {
        $writer.WriteLine($Line)
    } catch {
        # Nobody reads any more.
        $script:isEnding = $true
        $Error.Clear()
    }
}

# Opens runspaces before they are needed, on other threads: that takes longer than most scripts. More than two at a time would
# each take as much longer.
function Add-Spare {
    param([int]$Count)
    if ($spares.Count -ge $Count) {
        return
    }
    $opening = @($spares | Where-Object -FilterScript { -not $_.Opening.IsCompleted }).Count
    while ($spares.Count -lt $Count -and $opening -lt 2) {
        New-Spare
        $opening += 1
    }
}

function New-Spare {
    $runspace = [Management.Automation.Runspaces.RunspaceFactory]::CreateRunspace($state)
    $open = [Delegate]::CreateDelegate([Action], $runspace, $runspace.GetType().GetMethod('Open', [type[]]@()))
    [void]$spares.Add(@{ Runspace = $runspace; Opening = [Threading.Tasks.Task]::Factory.StartNew($open) })
}

# A runspace that is open, or nothing if one has still to open.
function Get-Spare {
    foreach ($spare in $spares.ToArray()) {
        if (-not $spare.Opening.IsCompleted) {
            continue
        }
        $spares.Remove($spare)
        if ($spare.Runspace.RunspaceStateInfo.State -eq 'Opened') {
            return $spare.Runspace
        }
        [void]$closing.Add($spare.Runspace)
        if ($spare.Opening.Exception) {
            throw $spare.Opening.Exception.GetBaseException()
        }
    }
}

function Read-Request {
    param([string]$Line)
    if ($Line -ceq 'exit') {
        $script:isEnding = $true
        return
    }
    if ($Line -cmatch '^cancel ([1-9][0-9]{0,15})$') {
        Stop-Request -Id $Matches[1]
        return
    }
    if ($Line -cnotmatch '^run ([1-9][0-9]{0,15}) (\S+) (\S+)$') {
        throw 'no such request: ' + $Line.Substring(0, [Math]::Min($Line.Length, 100))
    }
    $id = $Matches[1]
    $argument = $Matches[3]
    $isUsed = $running.ContainsKey($id)
    foreach ($other in $waiting) {
        $isUsed = $isUsed -or $other.Id -ceq $id
    }
    if ($isUsed) {
        throw "the id $id is in use"
    }
    try {
        $text = $utf8.GetString((ConvertFrom-Word -Word $Matches[2]))
        if ((ConvertFrom-Word -Word $argument).Length -eq 0) {
            $argument = ''
        }
    } catch {
        $Error.Clear()
        Write-Answer -Line "done $id failed $(ConvertTo-Word -Text 'the request is no base64')"
        return
    }
    [void]$waiting.Add(@{ Id = $id; Text = $text; Argument = $argument })
}

function Start-Waiting {
    while ($waiting.Count -gt 0 -and $running.Count -lt $maxRunning) {
        $request = $waiting[0]
        try {
            $runspace = Get-Spare
            if (-not $runspace) {
                Add-Spare -Count ([Math]::Min($waiting.Count, $spareCount))
                return
            }
            $waiting.RemoveAt(0)
            Start-Request -Request $request -Runspace $runspace
        } catch {
            $waiting.Remove($request)
            $reason = ConvertTo-Word -Text ([string]$_.Exception.GetBaseException().Message)
            $Error.Clear()
            Write-Answer -Line "done $($request.Id) failed $reason"
        }
    }
}

function Start-Request {
    param($Request, $Runspace)
    $shell = [PowerShell]::Create()
    $shell.Runspace = $Runspace
    [void]$shell.AddScript($Request.Text).AddArgument($Request.Argument)
    $output = [Management.Automation.PSDataCollection[PSObject]]::new()
    $span = @{ Id = $Request.Id; Started = [DateTime]::UtcNow; Ended = $null; Runspace = $Runspace }
    $entry = @{ Id = $Request.Id; Shell = $shell; Output = $output; Span = $span; StopBy = $null; Known = @{}; IsUnclear = $false }
    $entry.Handle = $shell.BeginInvoke($nothing, $output)
    $running[$Request.Id] = $entry
    $spans[$Request.Id] = $span
}

function Stop-Request {
    param([string]$Id)
    foreach ($request in @($waiting | Where-Object -FilterScript { $_.Id -ceq $Id })) {
        $waiting.Remove($request)
        Write-Answer -Line "done $Id cancelled -"
    }
    # It may just have ended: then its answer is under way.
    $entry = $running[$Id]
    if ($entry -and -not $entry.StopBy) {
        $entry.StopBy = [DateTime]::UtcNow.AddMilliseconds($stopTimeoutMs)
        # A script that lost its program before it is being stopped would go on with its next line.
        $entry.KillFrom = [DateTime]::UtcNow.AddMilliseconds(40)
        # Before it is stopped: PowerShell ends the program that it waits for, and what that had started can't be found then.
        Find-Process -Entries @($entry)
        [void]$entry.Shell.BeginStop($null, $null)
    }
}

function Find-Process {
    param($Entries)
    try {
        $known = @{}
        foreach ($entry in $Entries) {
            foreach ($id in @($entry.Known.Keys)) {
                $known[$id] = $entry.Known[$id]
            }
        }
        $isUnclear = Find-ProcessTree -Ids @($Entries | ForEach-Object -Process { $_.Id }) -Spans @($spans.Values) -Known $known
        foreach ($entry in $Entries) {
            $entry.Known = $known
            $entry.IsUnclear = $isUnclear
        }
    } catch {
        $Error.Clear()
        foreach ($entry in $Entries) {
            $entry.IsUnclear = $true
        }
    }
}

# Takes a request off the list: it has ended, or has been given up.
function Remove-Request {
    param($Entry)
    $running.Remove($Entry.Id)
    $Entry.Span.Ended = [DateTime]::UtcNow
    $Entry.Span.Runspace = $null
    # What began after the last that runs may be forgotten.
    $oldest = [DateTime]::UtcNow
    foreach ($other in $running.Values) {
        if ($other.Span.Started -lt $oldest) {
            $oldest = $other.Span.Started
        }
    }
    foreach ($span in @($spans.Values)) {
        if ($span.Ended -and $span.Ended.AddMilliseconds(100) -lt $oldest) {
            $spans.Remove($span.Id)
        }
    }
}

function Complete-Request {
    param($Entry)
    $answer = 'ok -'
    try {
        [void]$Entry.Shell.EndInvoke($Entry.Handle)
    } catch {
        # The record that a catch of the script's own would have had.
        $exception = $_.Exception
        while ($exception.InnerException -and -not ($exception -is [Management.Automation.RuntimeException] -and $exception -isnot [Management.Automation.MethodInvocationException])) {
            $exception = $exception.InnerException
        }
        $isOuter = $exception -is [Management.Automation.IContainsErrorRecord] -and $exception.ErrorRecord.Exception
        # Most records refer back to their exception without what is inside it.
        if ($isOuter -and $exception.ErrorRecord.Exception -isnot [Management.Automation.ParentContainsErrorRecordException]) {
            $exception = $exception.ErrorRecord.Exception
        }
        $answer = 'failed ' + (ConvertTo-Word -Text ([string]$exception.GetBaseException().Message))
        $Error.Clear()
    }
    if ($Entry.StopBy) {
        $answer = Complete-Stop -Entry $Entry
    }
    Remove-Request -Entry $Entry
    $items = @($Entry.Output)
    $text = ''
    if ($items.Count -eq 1) {
        $text = [string]$items[0]
    } elseif ($items.Count -gt 1) {
        $text = $items -join "`n"
    }
    [void]$ended.Add($Entry)
    [void]$sending.Add(@{ Id = $Entry.Id; Text = $text; Offset = 0; Answer = $answer })
}

# The pipeline goes on and nothing can be done about that: its thread ends with this process.
function Skip-Request {
    param($Entry)
    [void](Complete-Stop -Entry $Entry)
    $script:abandoned += 1
    Remove-Request -Entry $Entry
    Write-Answer -Line "done $($Entry.Id) left $(ConvertTo-Word -Text 'the script goes on: it did not stop when it was told to')"
}

function Complete-Stop {
    param($Entry)
    Find-Process -Entries @($Entry)
    $goesOn = $true
    try {
        Stop-ProcessTree -Known $Entry.Known
        $goesOn = Test-ProcessTree -Known $Entry.Known
    } catch {
        $Error.Clear()
    }
    if ($goesOn) {
        return 'left ' + (ConvertTo-Word -Text 'a program that the script started goes on: it could not be ended')
    }
    if ($Entry.IsUnclear) {
        return 'left ' + (ConvertTo-Word -Text 'programs were started meanwhile, and whether by this script can not be told')
    }
    'cancelled -'
}

# A few pieces of each answer a turn, so that a long one keeps none waiting.
function Send-Output {
    foreach ($message in $sending.ToArray()) {
        $text = $message.Text
        for ($piece = 0; $piece -lt 8 -and $message.Offset -lt $text.Length; $piece += 1) {
            $length = [Math]::Min($chunkLength, $text.Length - $message.Offset)
            if ($length -gt 1 -and [char]::IsHighSurrogate($text, $message.Offset + $length - 1)) {
                $length -= 1
            }
            Write-Answer -Line "out $($message.Id) $(ConvertTo-Word -Text $text.Substring($message.Offset, $length))"
            $message.Offset += $length
        }
        if ($message.Offset -ge $text.Length) {
            Write-Answer -Line "done $($message.Id) $($message.Answer)"
            $sending.Remove($message)
            if ($text.Length -gt 4194304) {
                $message.Text = $null
                $text = $null
                $script:isHeavy = $true
            }
        }
    }
    try {
        $writer.Flush()
    } catch {
        $script:isEnding = $true
        $Error.Clear()
    }
}

function Save-Process {
    $saved = @{
        Environment = [Environment]::GetEnvironmentVariables()
        Folder = [Environment]::CurrentDirectory
        Culture = [Globalization.CultureInfo]::DefaultThreadCurrentCulture
        UICulture = [Globalization.CultureInfo]::DefaultThreadCurrentUICulture
    }
    try {
        $saved.OutputEncoding = [Console]::OutputEncoding
        $saved.InputEncoding = [Console]::InputEncoding
    } catch {
        # There is no console.
        $Error.Clear()
    }
    $saved
}

function Restore-Process {
    $now = [Environment]::GetEnvironmentVariables()
    foreach ($name in @($now.Keys)) {
        if (-not $saved.Environment.ContainsKey($name)) {
            [Environment]::SetEnvironmentVariable($name, $null)
        }
    }
    foreach ($name in @($saved.Environment.Keys)) {
        if ($now[$name] -cne $saved.Environment[$name]) {
            [Environment]::SetEnvironmentVariable($name, [string]$saved.Environment[$name])
        }
    }
    if ([Environment]::CurrentDirectory -cne $saved.Folder) {
        [Environment]::CurrentDirectory = $saved.Folder
    }
    [Globalization.CultureInfo]::DefaultThreadCurrentCulture = $saved.Culture
    [Globalization.CultureInfo]::DefaultThreadCurrentUICulture = $saved.UICulture
    if ($saved.OutputEncoding -and [Console]::OutputEncoding.CodePage -ne $saved.OutputEncoding.CodePage) {
        [Console]::OutputEncoding = $saved.OutputEncoding
    }
    if ($saved.InputEncoding -and [Console]::InputEncoding.CodePage -ne $saved.InputEncoding.CodePage) {
        [Console]::InputEncoding = $saved.InputEncoding
    }
}

# What can wait until the answers are sent.
function Invoke-Housekeeping {
    foreach ($entry in $ended.ToArray()) {
        $ended.Remove($entry)
        [void]$closing.Add($entry.Shell.Runspace)
        $entry.Shell.Runspace.CloseAsync()
        $entry.Shell.Dispose()
        $entry.Output.Dispose()
    }
    foreach ($runspace in $closing.ToArray()) {
        if ($runspace.RunspaceStateInfo.State -in 'Closed', 'Broken') {
            $closing.Remove($runspace)
            $runspace.Dispose()
        }
    }
    if ($running.Count -eq 0 -and $waiting.Count -eq 0 -and $abandoned -eq 0) {
        try {
            Restore-Process
        } catch {
            Write-Answer -Line "broken $(ConvertTo-Word -Text ('the process can not be put back: ' + [string]$_))"
        }
        Add-Spare -Count $spareCount
    } else {
        Add-Spare -Count 1
    }
    if ($isHeavy -and $sending.Count -eq 0) {
        $script:isHeavy = $false
        [GC]::Collect()
    }
    $Error.Clear()
}

# Ends all that still runs, and this process.
function Exit-Host {
    $entries = @($running.Values)
    if ($entries.Count -gt 0) {
        Find-Process -Entries $entries
        foreach ($entry in $entries) {
            [void]$entry.Shell.BeginStop($null, $null)
        }
        [Threading.Thread]::Sleep(50)
        Find-Process -Entries $entries
        Stop-ProcessTree -Known $entries[0].Known
    }
    [Environment]::Exit(0)
}

function Wait-Event {
    $handles = New-Object -TypeName Collections.ArrayList
    [void]$handles.Add(([IAsyncResult]$pending).AsyncWaitHandle)
    $waitMs = -1
    foreach ($entry in $running.Values) {
        [void]$handles.Add($entry.Handle.AsyncWaitHandle)
        if ($entry.StopBy) {
            $waitMs = 50
        }
    }
    $isReady = $false
    foreach ($spare in $spares) {
        if (-not $spare.Opening.IsCompleted) {
            [void]$handles.Add(([IAsyncResult]$spare.Opening).AsyncWaitHandle)
        } else {
            $isReady = $true
        }
    }
    if ($sending.Count -gt 0 -or ($isReady -and $waiting.Count -gt 0 -and $running.Count -lt $maxRunning)) {
        $waitMs = 0
    } elseif ($closing.Count -gt 0 -and $waitMs -eq -1) {
        $waitMs = 100
    }
    [void][Threading.WaitHandle]::WaitAny([Threading.WaitHandle[]]$handles.ToArray(), $waitMs)
}

function Invoke-Turn {
    while ($pending.IsCompleted -and -not $isEnding) {
        $line = $pending.Result
        if ($null -eq $line) {
            $script:isEnding = $true
            return
        }
        $script:pending = $reader.ReadLineAsync()
        try {
            Read-Request -Line $line
        } catch {
            Write-Answer -Line "broken $(ConvertTo-Word -Text ([string]$_))"
            $Error.Clear()
        }
    }
    Start-Waiting
    foreach ($entry in @($running.Values)) {
        if ($entry.Handle.IsCompleted) {
            Complete-Request -Entry $entry
        } elseif ($entry.StopBy) {
            if ([DateTime]::UtcNow -ge $entry.StopBy) {
                Skip-Request -Entry $entry
            } elseif ($entry.KillFrom -and [DateTime]::UtcNow -ge $entry.KillFrom) {
                $entry.KillFrom = $null
                Stop-ProcessTree -Known $entry.Known
            }
        }
    }
    Send-Output
    Invoke-Housekeeping
}

$isHeavy = $false
$abandoned = 0
try {
    [Console]::OutputEncoding = $utf8
    [Console]::InputEncoding = $utf8
} catch {
    # There is no console.
    $Error.Clear()
}
Disconnect-StandardHandle
if ($isWindowsHost) {
    Enter-Job
}
# A machine with two processors starts the third thread half a second late.
[void][Threading.ThreadPool]::SetMinThreads(64, 64)
if ($PSStyle) {
    $PSStyle.OutputRendering = 'PlainText'
}
$saved = Save-Process
$state = [Management.Automation.Runspaces.InitialSessionState]::CreateDefault()
foreach ($preference in @{ ProgressPreference = 'SilentlyContinue'; ErrorActionPreference = 'Stop'; OutputEncoding = $utf8 }.GetEnumerator()) {
    $state.Variables.Add((New-Object -TypeName Management.Automation.Runspaces.SessionStateVariableEntry -ArgumentList $preference.Key, $preference.Value, ''))
}
$nothing = New-Object -TypeName 'Management.Automation.PSDataCollection[PSObject]'
$nothing.Complete()
Add-Spare -Count $spareCount
$pending = $reader.ReadLineAsync()
Write-Answer -Line "ready $PID"
$writer.Flush()
while (-not $isEnding) {
    try {
        Wait-Event
        Invoke-Turn
    } catch {
        Write-Answer -Line "broken $(ConvertTo-Word -Text ([string]$_))"
        $Error.Clear()
        [Threading.Thread]::Sleep(10)
    }
}
Exit-Host
