# The service of the Task Scheduler that stands in here: starts what Start-ScheduledTask asks for, until it is ended.
$ErrorActionPreference = 'Stop'
Import-Module -Name "$PSScriptRoot\ScheduledTasks.psm1"
$folder = Join-Path -Path $env:ProgramData -ChildPath 'winehost\tasks'
New-Item -ItemType Directory -Path $folder -Force | Out-Null
[IO.File]::WriteAllText("$folder\ready", '')
while ($true) {
    foreach ($request in [IO.Directory]::GetFiles($folder, '*.start')) {
        Invoke-TaskRequest -Request $request
    }
    Start-Sleep -Milliseconds 50
}
