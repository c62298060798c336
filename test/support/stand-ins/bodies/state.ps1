# What all stand-ins share: the machine's state in one file, and errors as Windows words them.
$assembly = Join-Path -Path $PSScriptRoot -ChildPath 'StandIns.dll'
if (-not ('StandIn.State' -as [type])) {
    Add-Type -Path $assembly
}
if (-not $IsWindows) {
    $accelerators = [psobject].Assembly.GetType('System.Management.Automation.TypeAccelerators')
    $standIns = @{
        'Security.Principal.WindowsIdentity' = [StandIn.WindowsIdentity]
        'Security.Principal.WindowsPrincipal' = [StandIn.WindowsPrincipal]
        'Security.Principal.SecurityIdentifier' = [StandIn.SecurityIdentifier]
        'Security.AccessControl.FileSecurity' = [StandIn.FileSecurity]
        'Security.AccessControl.DirectorySecurity' = [StandIn.DirectorySecurity]
        'Security.AccessControl.FileSystemAccessRule' = [StandIn.FileSystemAccessRule]
        'Drawing.Bitmap' = [StandIn.Bitmap]
        'Drawing.Graphics' = [StandIn.Graphics]
        'Drawing.Imaging.ImageFormat' = [StandIn.ImageFormat]
    }
    foreach ($name in $standIns.Keys) {
        if (-not $accelerators::Get.ContainsKey($name)) {
            $accelerators::Add($name, $standIns[$name])
        }
    }
}

function Read-State {
    [IO.File]::ReadAllText($env:WIN_AUTOMATION_STAND_IN_STATE) | ConvertFrom-Json -AsHashtable -Depth 20
}

# Writes the state back, with a line in its log.
function Write-State {
    param($State, [string]$Command, $Detail)
    $State['log'] = @($State['log'] | Where-Object { $null -ne $_ }) + @(@{ command = $Command; detail = $Detail })
    [IO.File]::WriteAllText($env:WIN_AUTOMATION_STAND_IN_STATE, ($State | ConvertTo-Json -Compress -Depth 20))
}

# The items of a list in the state: none where there is no such list.
function Get-Items {
    param($State, [string]$Name)
    foreach ($item in $State[$Name]) {
        if ($null -ne $item) { $item }
    }
}

# As Windows gives properties that hold lists of one: the value itself.
function Get-One {
    param($Value)
    $items = @($Value)
    if ($items.Count -eq 1) { $items[0] } else { , $items }
}

function New-Cim {
    param([string]$Class, $Fields)
    $object = [pscustomobject]$Fields
    $object.PSTypeNames.Insert(0, "Microsoft.Management.Infrastructure.CimInstance#$Class")
    $object
}

function Write-Fault {
    param($Cmdlet, [string]$Id, [string]$Category, [string]$Message)
    $exception = [Management.Automation.RuntimeException]::new($Message)
    $Cmdlet.WriteError([Management.Automation.ErrorRecord]::new($exception, $Id, $Category, $null))
}

# An error that a test asks for: {"Get-Service": {"category": "PermissionDenied", "message": "Access is denied"}}.
# `after` lets so many calls pass first.
function Test-Fault {
    param($State, $Cmdlet, [string]$Name)
    $fault = $State['errors'] ? $State['errors'][$Name] : $null
    if (-not $fault) { return $false }
    if ($fault['after'] -gt 0) {
        $fault['after'] -= 1
        Write-State -State $State -Command 'fault' -Detail $Name
        return $false
    }
    Write-Fault -Cmdlet $Cmdlet -Id "StandIn,$Name" -Category $fault['category'] -Message $fault['message']
    $true
}

# Whether a value is among those asked for, which may be patterns.
function Test-Name {
    param($Patterns, [string]$Value)
    foreach ($pattern in $Patterns) {
        if ($Value -like $pattern) { return $true }
    }
    $false
}

function Write-NotFound {
    param($Cmdlet, [string]$Class, [string]$Property, $Patterns)
    foreach ($pattern in $Patterns) {
        if (-not [WildcardPattern]::ContainsWildcardCharacters($pattern)) {
            $words = "No $Class objects found with property '$Property' equal to '$pattern'.  Verify the value of the property and retry."
            Write-Fault -Cmdlet $Cmdlet -Id "CmdletizationQuery_NotFound_$Property" -Category ObjectNotFound -Message $words
        }
    }
}
