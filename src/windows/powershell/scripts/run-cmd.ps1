# Runs a command line in cmd.exe, whatever shell sshd starts. Input, output and exit code are the command's own.
# Request: {"command": "..."} and what environment.ps1 takes, which stands before it.
param([string]$Argument)

$request = ConvertFrom-Argument -Argument $Argument
Set-RunEnvironment -Request $request
Set-RunLocation -Request $request
$start = New-Object -TypeName Diagnostics.ProcessStartInfo
$start.FileName = "$env:SystemRoot\System32\cmd.exe"
# With /s, cmd.exe takes off the outer quotes and leaves all between them alone.
$start.Arguments = '/d /s /c "' + [string]$request.command + '"'
$start.UseShellExecute = $false
$start.WorkingDirectory = [Environment]::CurrentDirectory
$process = [Diagnostics.Process]::Start($start)
$process.WaitForExit()
exit $process.ExitCode
