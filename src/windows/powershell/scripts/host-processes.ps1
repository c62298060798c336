# What the PowerShell that stays (host.ps1) knows about the processes below it: which there are, whose they are, how to end
# them. On Windows all of them are in one job object, those included whose parent has ended.
$isWindowsHost = [Environment]::OSVersion.Platform -eq 'Win32NT'
$anyMember = [Reflection.BindingFlags]'Instance, Public, NonPublic'
$job = [IntPtr]::Zero

# Reflection.Emit, since Add-Type would start csc.exe in Windows PowerShell.
$nativeAssembly = [Reflection.Emit.AssemblyBuilder]::DefineDynamicAssembly((New-Object -TypeName Reflection.AssemblyName -ArgumentList 'WinAutomationNative'), 'Run')
$nativeType = $nativeAssembly.DefineDynamicModule('native').DefineType('WinAutomationNative', 'Public')

function Add-NativeFunction {
    param([string]$Library, [string]$Name, [type]$Returns, [type[]]$Takes)
    $method = $nativeType.DefinePInvokeMethod($Name, $Library, 'Public, Static, PinvokeImpl', 'Standard', $Returns, $Takes, 'Winapi', 'Auto')
    $method.SetImplementationFlags('PreserveSig')
}

if ($isWindowsHost) {
    Add-NativeFunction -Library 'kernel32.dll' -Name 'GetStdHandle' -Returns ([IntPtr]) -Takes @([int])
    Add-NativeFunction -Library 'kernel32.dll' -Name 'SetStdHandle' -Returns ([bool]) -Takes @([int], [IntPtr])
    Add-NativeFunction -Library 'kernel32.dll' -Name 'SetHandleInformation' -Returns ([bool]) -Takes @([IntPtr], [int], [int])
    Add-NativeFunction -Library 'kernel32.dll' -Name 'GetCurrentProcess' -Returns ([IntPtr]) -Takes @()
    Add-NativeFunction -Library 'kernel32.dll' -Name 'CreateJobObjectW' -Returns ([IntPtr]) -Takes @([IntPtr], [IntPtr])
    Add-NativeFunction -Library 'kernel32.dll' -Name 'SetInformationJobObject' -Returns ([bool]) -Takes @([IntPtr], [int], [IntPtr], [int])
    Add-NativeFunction -Library 'kernel32.dll' -Name 'AssignProcessToJobObject' -Returns ([bool]) -Takes @([IntPtr], [IntPtr])
    Add-NativeFunction -Library 'kernel32.dll' -Name 'QueryInformationJobObject' -Returns ([bool]) -Takes @([IntPtr], [int], [IntPtr], [int], [IntPtr])
    Add-NativeFunction -Library 'ntdll.dll' -Name 'NtQueryInformationProcess' -Returns ([int]) -Takes @([IntPtr], [int], [IntPtr], [int], [IntPtr])
} else {
    Add-NativeFunction -Library 'libc' -Name 'dup2' -Returns ([int]) -Takes @([int], [int])
}
$native = $nativeType.CreateType()

# The standard handles become the null device: programs that a script starts neither take lines of the protocol nor write
# into it, and none that is left running keeps the channel open. The streams that are open already stay as they are.
function Disconnect-StandardHandle {
    if ($isWindowsHost) {
        $script:nullIn = [IO.File]::Open('NUL', 'Open', 'Read', 'ReadWrite, Inheritable')
        $script:nullOut = [IO.File]::Open('NUL', 'Open', 'Write', 'ReadWrite, Inheritable')
        foreach ($number in -10, -11, -12) {
            $stream = $nullOut
            if ($number -eq -10) {
                $stream = $nullIn
            }
            # 1 is HANDLE_FLAG_INHERIT.
            [void]$native::SetHandleInformation($native::GetStdHandle($number), 1, 0)
            if (-not $native::SetStdHandle($number, $stream.SafeFileHandle.DangerousGetHandle())) {
                throw "SetStdHandle($number) failed"
            }
        }
    } else {
        $null = [Console]::Error
        $stream = [IO.File]::Open('/dev/null', 'Open', 'ReadWrite')
        foreach ($number in 0, 1, 2) {
            if ($native::dup2([int]$stream.SafeFileHandle.DangerousGetHandle(), $number) -ne $number) {
                throw "dup2 to $number failed"
            }
        }
        $stream.Dispose()
    }
    [Console]::SetIn([IO.TextReader]::Null)
    [Console]::SetOut([IO.TextWriter]::Null)
    [Console]::SetError([IO.TextWriter]::Null)
}

# Puts this process into a job object of its own; what it starts is in it too, unless it asks to break away.
function Enter-Job {
    $new = $native::CreateJobObjectW([IntPtr]::Zero, [IntPtr]::Zero)
    $size = 112
    if ([IntPtr]::Size -eq 8) {
        $size = 144
    }
    $buffer = [Runtime.InteropServices.Marshal]::AllocHGlobal($size)
    foreach ($offset in 0..($size - 1)) {
        [Runtime.InteropServices.Marshal]::WriteByte($buffer, $offset, 0)
    }
    # JOBOBJECT_EXTENDED_LIMIT_INFORMATION with JOB_OBJECT_LIMIT_BREAKAWAY_OK.
    [Runtime.InteropServices.Marshal]::WriteInt32($buffer, 16, 0x800)
    [void]$native::SetInformationJobObject($new, 9, $buffer, $size)
    [Runtime.InteropServices.Marshal]::FreeHGlobal($buffer)
    if ($native::AssignProcessToJobObject($new, $native::GetCurrentProcess())) {
        $script:job = $new
    }
}

function Get-JobProcess {
    if ($job -eq [IntPtr]::Zero) {
        throw 'the processes below it can not be listed'
    }
    $count = 4096
    $buffer = [Runtime.InteropServices.Marshal]::AllocHGlobal(8 + $count * [IntPtr]::Size)
    $basic = [Runtime.InteropServices.Marshal]::AllocHGlobal(6 * [IntPtr]::Size)
    try {
        # JobObjectBasicProcessIdList
        if (-not $native::QueryInformationJobObject($job, 3, $buffer, 8 + $count * [IntPtr]::Size, [IntPtr]::Zero)) {
            throw 'the processes below it can not be listed'
        }
        $listed = [Runtime.InteropServices.Marshal]::ReadInt32($buffer, 4)
        for ($index = 0; $index -lt $listed; $index += 1) {
            $id = [int][Runtime.InteropServices.Marshal]::ReadIntPtr($buffer, 8 + $index * [IntPtr]::Size)
            if ($id -eq $PID) {
                continue
            }
            try {
                $process = [Diagnostics.Process]::GetProcessById($id)
                # The parent's id is the last of PROCESS_BASIC_INFORMATION.
                $parent = 0
                if ($native::NtQueryInformationProcess($process.Handle, 0, $basic, 6 * [IntPtr]::Size, [IntPtr]::Zero) -eq 0) {
                    $parent = [int][Runtime.InteropServices.Marshal]::ReadIntPtr($basic, 5 * [IntPtr]::Size)
                }
                @{ Id = $id; Parent = $parent; Started = $process.StartTime.ToUniversalTime() }
                $process.Dispose()
            } catch {
                # It ended in between.
                $Error.Clear()
            }
        }
    } finally {
        [Runtime.InteropServices.Marshal]::FreeHGlobal($buffer)
        [Runtime.InteropServices.Marshal]::FreeHGlobal($basic)
    }
}

# Those below this process, and where it leads its session all of that.
function Get-SessionProcess {
    $invariant = [Globalization.CultureInfo]::InvariantCulture
    $uptime = [double]::Parse([IO.File]::ReadAllText('/proc/uptime').Split(' ')[0], $invariant)
    $booted = [DateTime]::UtcNow.AddSeconds(-$uptime)
    $all = @{}
    foreach ($folder in [IO.Directory]::GetDirectories('/proc')) {
        $id = 0
        if (-not [int]::TryParse([IO.Path]::GetFileName($folder), 'None', $invariant, [ref]$id)) {
            continue
        }
        try {
            $stat = [IO.File]::ReadAllText("$folder/stat")
        } catch {
            # It ended in between.
            $Error.Clear()
            continue
        }
        $words = $stat.Substring($stat.LastIndexOf(')') + 2).Split(' ')
        if ($words[0] -cne 'Z') {
            $started = $booted.AddMilliseconds([double]::Parse($words[19], $invariant) * 10)
            $all[$id] = @{ Id = $id; Parent = [int]$words[1]; Session = [int]$words[3]; Started = $started }
        }
    }
    foreach ($process in $all.Values) {
        $current = $process
        while ($current -and $current.Id -ne $PID) {
            $current = $all[$current.Parent]
        }
        if ($process.Id -ne $PID -and ($current -or $process.Session -eq $PID)) {
            $process
        }
    }
}

function Get-ProcessBelow {
    if ($isWindowsHost) {
        Get-JobProcess
    } else {
        Get-SessionProcess
    }
}

# A field or property that PowerShell does not show, of this type or of one that it derives from.
function Get-Inner {
    param($Object, [string]$Name)
    $type = $Object.GetType()
    while ($type) {
        $property = $type.GetProperty($Name, $anyMember)
        if ($property) {
            return , $property.GetValue($Object, $null)
        }
        $type = $type.BaseType
    }
}

# The native programs that a runspace's pipeline waits for. Where an engine keeps them elsewhere there is no answer, and what
# can't be told apart is left running and reported.
function Get-NativeId {
    param($Runspace)
    try {
        $current = Get-Inner -Object (Get-Inner -Object $Runspace -Name 'GetExecutionContext') -Name 'CurrentCommandProcessor'
        $pipeline = Get-Inner -Object (Get-Inner -Object $current -Name 'CommandRuntime') -Name 'PipelineProcessor'
        foreach ($command in (Get-Inner -Object $pipeline -Name 'Commands')) {
            $fields = $command.GetType().GetFields($anyMember)
            foreach ($field in $fields) {
                if ($field.FieldType -eq [Diagnostics.Process] -and $field.GetValue($command)) {
                    $field.GetValue($command).Id
                }
            }
        }
    } catch {
        $Error.Clear()
    }
}

# A process id is used again: by a process that began at another time.
function Test-SameStart {
    param([DateTime]$One, [DateTime]$Other)
    [Math]::Abs(($One - $Other).TotalMilliseconds) -lt 1000
}

# Finds the processes of some requests. Spans: @{ Id; Started; Ended; Runspace } of every request that runs or ran beside
# them; Known: @{ process id = start } of what was found before, which is added to.
# A process belongs to who waits for it, else to who ran alone when it began, and with it all that is below it.
# Returns whether there are some that may be theirs or another's.
function Find-ProcessTree {
    param([string[]]$Ids, $Spans, [hashtable]$Known)
    $owners = @{}
    foreach ($span in $Spans) {
        if ($span.Runspace) {
            foreach ($native in @(Get-NativeId -Runspace $span.Runspace)) {
                $owners[[int]$native] = $span.Id
            }
        }
    }
    $below = @{}
    foreach ($process in @(Get-ProcessBelow)) {
        $below[$process.Id] = $process
    }
    $isUnclear = $false
    foreach ($process in $below.Values) {
        $root = $process
        while ($below.ContainsKey($root.Parent) -and $below[$root.Parent].Started -le $root.Started -and -not $owners.ContainsKey($root.Id)) {
            $root = $below[$root.Parent]
        }
        $isKnown = $Known.ContainsKey($root.Parent)
        if ($Known.ContainsKey($root.Id)) {
            $isKnown = Test-SameStart -One $root.Started -Other $Known[$root.Id]
        }
        $candidates = @()
        if ($owners.ContainsKey($root.Id)) {
            $candidates = @($owners[$root.Id])
        } elseif (-not $isKnown) {
            # Both clocks go by 10 ms or so.
            $candidates = @($Spans | Where-Object -FilterScript {
                $_.Started.AddMilliseconds(-30) -le $root.Started -and ($null -eq $_.Ended -or $_.Ended.AddMilliseconds(30) -ge $root.Started)
            } | ForEach-Object -Process { $_.Id })
        }
        $own = @($candidates | Where-Object -FilterScript { $Ids -ccontains $_ })
        if ($isKnown -or ($own.Count -gt 0 -and $own.Count -eq $candidates.Count)) {
            $Known[$process.Id] = $process.Started
        } elseif ($own.Count -gt 0) {
            $isUnclear = $true
        }
    }
    $isUnclear
}

# Ends the processes that were found.
function Stop-ProcessTree {
    param([hashtable]$Known)
    foreach ($id in @($Known.Keys)) {
        try {
            $process = [Diagnostics.Process]::GetProcessById($id)
            if (Test-SameStart -One $process.StartTime.ToUniversalTime() -Other $Known[$id]) {
                $process.Kill()
            }
            $process.Dispose()
        } catch {
            # It has ended, or may not be ended: what is there afterwards counts.
            $Error.Clear()
        }
    }
}

# Whether one of the processes that were found is still there, a moment after it was ended.
function Test-ProcessTree {
    param([hashtable]$Known)
    if ($Known.Count -eq 0) {
        return $false
    }
    foreach ($try in 1..4) {
        [Threading.Thread]::Sleep(10)
        $left = @(Get-ProcessBelow | Where-Object -FilterScript {
            $Known.ContainsKey($_.Id) -and (Test-SameStart -One $_.Started -Other $Known[$_.Id])
        })
        if ($left.Count -eq 0) {
            return $false
        }
    }
    $true
}
