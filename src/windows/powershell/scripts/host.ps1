# A PowerShell that stays: takes requests as JSON lines on standard input and answers with JSON lines on standard output.
#   {"id": 1, "op": "run", "script": "<base64 of UTF-8>", "argument": "<base64>"}
#   {"id": 1, "op": "cancel"}      {"op": "exit"}
# Answers: {"ready": true, "pid": 4711}   {"id": 1, "output": "text"}
#   {"id": 1, "done": true, "ok": true, "error": "", "output": "what was left of it"}
# Each request has a runspace of its own: variables, functions, location, preferences and errors begin afresh. Environment
# variables belong to the process; they are put back whenever nothing runs.
# It has to fit into a command line once its comments and indentation are gone, and must not say $input: PowerShell would
# read standard input itself.
$ErrorActionPreference = 'Stop'
$utf8 = [Text.UTF8Encoding]::new($false)
$reader = [IO.StreamReader]::new([Console]::OpenStandardInput(), $utf8)
$writer = [IO.StreamWriter]::new([Console]::OpenStandardOutput(), $utf8)
$writer.AutoFlush = $true
$running = @{}
$environment = [Environment]::GetEnvironmentVariables()

function Send-Line {
    param($Message)
    $writer.WriteLine(($Message | ConvertTo-Json -Compress -Depth 3))
}

function Start-Request {
    param($Request)
    $shell = [PowerShell]::Create()
    $text = $utf8.GetString([Convert]::FromBase64String($Request.script))
    [void]$shell.AddScript("`$ProgressPreference = 'SilentlyContinue'; `$ErrorActionPreference = 'Stop'").AddStatement()
    [void]$shell.AddScript($text).AddArgument([string]$Request.argument)
    $output = [Management.Automation.PSDataCollection[PSObject]]::new()
    $nothing = [Management.Automation.PSDataCollection[PSObject]]::new()
    $handle = $shell.BeginInvoke($nothing, $output)
    $running[[string]$Request.id] = @{ Shell = $shell; Output = $output; Handle = $handle }
}

function Add-Output {
    param($Message, $Entry)
    $items = $Entry.Output.ReadAll()
    if ($items.Count -gt 0) {
        $Message.output = $items -join "`n"
    }
}

function Complete-Request {
    param([string]$Id, $Entry)
    $ok = $true
    $reason = ''
    try {
        [void]$Entry.Shell.EndInvoke($Entry.Handle)
    } catch {
        $ok = $false
        $reason = [string]$_.Exception.GetBaseException().Message
    }
    $message = @{ id = [int]$Id; done = $true; ok = $ok; error = $reason }
    Add-Output -Message $message -Entry $Entry
    $Entry.Shell.Dispose()
    $running.Remove($Id)
    Send-Line -Message $message
}

function Restore-Environment {
    foreach ($name in @([Environment]::GetEnvironmentVariables().Keys)) {
        if (-not $environment.ContainsKey($name)) {
            [Environment]::SetEnvironmentVariable($name, $null)
        }
    }
    foreach ($name in @($environment.Keys)) {
        [Environment]::SetEnvironmentVariable($name, [string]$environment[$name])
    }
}

Send-Line -Message @{ ready = $true; pid = $PID }
$pending = $reader.ReadLineAsync()
$isOpen = $true
while ($isOpen) {
    # Asleep until a request comes, or for a moment while something runs.
    $waitMs = -1
    if ($running.Count -gt 0) {
        $waitMs = 10
    }
    if ($pending.Wait($waitMs)) {
        $line = $pending.Result
        if ($null -eq $line) {
            break
        }
        $request = $line | ConvertFrom-Json
        if ($request.op -eq 'run') {
            Start-Request -Request $request
        } elseif ($request.op -eq 'cancel' -and $running.ContainsKey([string]$request.id)) {
            [void]$running[[string]$request.id].Shell.BeginStop($null, $null)
        } elseif ($request.op -eq 'exit') {
            $isOpen = $false
        }
        $pending = $reader.ReadLineAsync()
    }
    foreach ($id in @($running.Keys)) {
        $entry = $running[$id]
        if ($entry.Handle.IsCompleted) {
            Complete-Request -Id $id -Entry $entry
            if ($running.Count -eq 0) {
                Restore-Environment
            }
        } else {
            $message = @{ id = [int]$id }
            Add-Output -Message $message -Entry $entry
            if ($message.output) {
                Send-Line -Message $message
            }
        }
    }
}
foreach ($entry in @($running.Values)) {
    $entry.Shell.Stop()
    $entry.Shell.Dispose()
}
