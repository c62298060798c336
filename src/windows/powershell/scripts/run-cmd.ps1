# Runs a command line in cmd.exe, whatever shell sshd starts. Input, output and exit code are the command's own.
# Argument: {"command": "..."}
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
$start = New-Object -TypeName Diagnostics.ProcessStartInfo
$start.FileName = "$env:SystemRoot\System32\cmd.exe"
# With /s, cmd.exe takes off the outer quotes and leaves all between them alone.
$start.Arguments = '/d /s /c "' + [string]$request.command + '"'
$start.UseShellExecute = $false
$process = [Diagnostics.Process]::Start($start)
$process.WaitForExit()
exit $process.ExitCode
