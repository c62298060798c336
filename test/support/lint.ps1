# Checks texts of PowerShell by the engine's own parser against Microsoft's parameters of each cmdlet.
# Argument: a file of JSON: {"cmdlets": "path of cmdlets.json", "texts": [{"name", "text", "reads_input"}], "natives": [],
#   "libraries": [texts whose functions are known everywhere]}
# Gives a fault a line: "name:line: [rule] what is wrong".
param([string]$Argument)

$ErrorActionPreference = 'Stop'
$request = [IO.File]::ReadAllText($Argument) | ConvertFrom-Json -AsHashtable -DateKind String
$cmdlets = @{}
foreach ($module in ([IO.File]::ReadAllText($request['cmdlets']) | ConvertFrom-Json -AsHashtable).Values) {
    foreach ($name in $module.Keys) { $cmdlets[$name] = $module[$name] }
}
# The reference mixes in a parameter of the WSMan provider: nobody has to give it.
$cmdlets['New-Item']['ConnectionURI']['required'] = $false
$common = 'Verbose', 'Debug', 'ErrorAction', 'WarningAction', 'InformationAction', 'ErrorVariable', 'WarningVariable', 'InformationVariable', 'OutVariable', 'OutBuffer', 'PipelineVariable'
$actions = 'SilentlyContinue', 'Stop', 'Continue', 'Inquire', 'Ignore', 'Suspend'
$faults = [Collections.Generic.List[string]]::new()
$current = @{ Name = '' }

function Add-Fault {
    param($Node, [string]$Rule, [string]$Words)
    $faults.Add("$($current.Name):$($Node.Extent.StartLineNumber): [$Rule] $Words")
}

function Test-Type { param($Node, [string]$Type) $Node.GetType().Name -eq $Type }

# ---- syntax that Windows PowerShell 5.1 lacks

function Test-Syntax {
    param($Node, $Tokens)
    $kind = $Node.GetType().Name
    switch ($kind) {
        'TernaryExpressionAst' { Add-Fault $Node syntax 'a ternary operator needs PowerShell 7' }
        'PipelineChainAst' { Add-Fault $Node syntax '&& and || need PowerShell 7' }
        'PipelineAst' { if ($Node.Background) { Add-Fault $Node syntax 'a background & needs PowerShell 7' } }
        'BinaryExpressionAst' {
            $operator = [string]$Node.Operator
            if ($operator -in 'And', 'Or' -and $Node.Left -is [Management.Automation.Language.BinaryExpressionAst] -and
                [string]$Node.Left.Operator -in 'And', 'Or' -and [string]$Node.Left.Operator -ne $operator) {
                Add-Fault $Node syntax '-and and -or are of one rank: put parentheses'
            }
            if ([string]$Node.Operator -eq 'QuestionQuestion') { Add-Fault $Node syntax '?? needs PowerShell 7' }
        }
        'AssignmentStatementAst' { if ([string]$Node.Operator -eq 'QuestionQuestionEquals') { Add-Fault $Node syntax '??= needs PowerShell 7' } }
        'ScriptBlockAst' { if ($Node.CleanBlock) { Add-Fault $Node.CleanBlock syntax 'a clean block needs PowerShell 7' } }
        { $_ -in 'MemberExpressionAst', 'InvokeMemberExpressionAst', 'IndexExpressionAst' } {
            if ($Node.NullConditional) { Add-Fault $Node syntax '?. and ?[] need PowerShell 7' }
        }
        'InvokeMemberExpressionAst' { if ($Node.GenericTypeArguments) { Add-Fault $Node syntax 'type arguments of a method need PowerShell 7' } }
    }
}

function Test-Token {
    param($Tokens)
    foreach ($token in $Tokens) {
        if ($token -is [Management.Automation.Language.NumberToken] -and $token.Text -match '(?i)^0b|(?:u[ysl]?|[ysn])(?:[kmgtp]b)?$' -and $token.Text -notmatch '(?i)^0x[0-9a-f]+$') {
            Add-Fault $token syntax "the number $($token.Text) is not one in 5.1"
        }
        if ($token -is [Management.Automation.Language.StringExpandableToken] -and $token.Text -cmatch '(?<!`)(?:``)*`(?:e|u\{)') {
            Add-Fault $token syntax 'the escapes `e and `u{} need PowerShell 7'
        }
    }
}

# ---- what a culture changes

$cultureMethods = 'ToShortDateString', 'ToLongDateString', 'ToShortTimeString', 'ToLongTimeString', 'GetDateTimeFormats', 'ToLower', 'ToUpper', 'ToTitleCase'
$positionMethods = 'StartsWith', 'EndsWith', 'IndexOf', 'LastIndexOf', 'CompareTo'
$parseMethods = 'Parse', 'ParseExact', 'TryParse', 'TryParseExact'
# Types whose Parse no culture touches.
$cultureFree = 'Net.IPAddress', 'Guid', 'Version', 'bool', 'enum'

function Test-Culture {
    param($Node)
    if (Test-Type $Node 'BinaryExpressionAst') {
        $operator = [string]$Node.Operator
        if ($operator -eq 'Format') { Add-Fault $Node culture '-f formats by the culture: use [string]::Format with InvariantCulture, or a string with variables' }
        if ($operator -cmatch '^I(match|notmatch|replace|split)$' -and $Node.Right.Extent.Text -match '[iI]') {
            Add-Fault $Node culture "a Turkish i is none: use -c$($operator.Substring(1).ToLowerInvariant())"
        }
        return
    }
    if (-not (Test-Type $Node 'InvokeMemberExpressionAst')) { return }
    $method = [string]$Node.Member.Extent.Text
    $given = @($Node.Arguments | Where-Object { $null -ne $_ })
    $text = [string]::Join(', ', @(foreach ($one in $given) { $one.Extent.Text }))
    $isInvariant = $text -match 'Culture|Ordinal|\$invariant\b'
    $type = if ($Node.Static) { $Node.Expression.Extent.Text.Trim('[', ']') -replace '^System\.', '' } else { '' }
    if ($method -eq 'ToString' -and -not $isInvariant -and $type -ne 'BitConverter') {
        Add-Fault $Node culture 'ToString without InvariantCulture: pass it, or cast by [string]'
    } elseif ($cultureMethods -contains $method -and -not $isInvariant) {
        Add-Fault $Node culture "$method follows the culture"
    } elseif ($positionMethods -contains $method -and -not $isInvariant -and $text -notmatch "^'.'$|^\[char\]" -and $type -ne 'Array') {
        Add-Fault $Node culture "$method compares by the culture: pass a StringComparison"
    } elseif ($Node.Static -and $type -eq 'string' -and $method -in 'Format', 'Compare' -and -not $isInvariant) {
        Add-Fault $Node culture "[string]::$method without InvariantCulture"
    } elseif ($Node.Static -and $parseMethods -contains $method -and $cultureFree -notcontains $type -and -not $isInvariant) {
        Add-Fault $Node culture "$method without InvariantCulture"
    }
}

# ---- what waits for somebody

function Test-Waiting {
    param($Node, [bool]$ReadsInput)
    if ($Node -isnot [Management.Automation.Language.MemberExpressionAst]) { return }
    $text = $Node.Extent.Text -replace '\s', ''
    if ($text -match '(?i)^\[(System\.)?Console\]::(ReadKey|Read|ReadLine)\b' -or $text -match '(?i)^\$Host\.UI\.(Prompt\w*|ReadLine\w*|RawUI\.ReadKey)') {
        Add-Fault $Node input "$text waits for input"
    } elseif (-not $ReadsInput -and $text -match '(?i)^\[(System\.)?Console\]::(In\b|OpenStandardInput)') {
        Add-Fault $Node input 'standard input in a script that takes none'
    }
}

# ---- cmdlets and their parameters

# The function that a part of a text is in.
function Get-Owner {
    param($Node)
    while ($Node -and $Node -isnot [Management.Automation.Language.FunctionDefinitionAst]) { $Node = $Node.Parent }
    $Node
}

# The keys that a splatted variable holds, as far as the text says: those of hashtables given to it, and those set later.
function Get-SplatKeys {
    param($Root, $Command, [string]$Name)
    $owner = Get-Owner $Command
    foreach ($one in $current.Assignments) {
        if ((Get-Owner $one) -ne $owner) { continue }
        $left = $one.Left
        if ($left -is [Management.Automation.Language.VariableExpressionAst] -and $left.VariablePath.UserPath -eq $Name) {
            $table = $one.Right.Find({ param($node) $node -is [Management.Automation.Language.HashtableAst] }, $true)
            if ($table) { foreach ($pair in $table.KeyValuePairs) { @{ Key = $pair.Item1.Extent.Text.Trim("'", '"'); Value = $pair.Item2; Always = $true } } }
        }
        if ($left -is [Management.Automation.Language.MemberExpressionAst] -and $left.Expression.Extent.Text -eq "`$$Name") {
            @{ Key = $left.Member.Extent.Text; Value = $one.Right; Always = $false }
        }
    }
}

# The constant strings that an argument is made of, or none where it is computed.
function Get-Constants {
    param($Node)
    if ($Node -is [Management.Automation.Language.StringConstantExpressionAst]) { return $Node.Value }
    if ($Node -is [Management.Automation.Language.ArrayLiteralAst]) { foreach ($one in $Node.Elements) { Get-Constants $one } }
    if ($Node -is [Management.Automation.Language.StatementAst]) {
        $inner = $Node.Find({ param($node) $node -is [Management.Automation.Language.StringConstantExpressionAst] }, $true)
        if ($inner -and $inner.Extent.Text -eq $Node.Extent.Text) { $inner.Value }
    }
}

function Test-Values {
    param($Node, [string]$Cmdlet, [string]$Name, $Values, $Given)
    foreach ($value in @(Get-Constants $Given)) {
        if ($Values -notcontains $value) { Add-Fault $Node value "$Cmdlet -${Name}: no such value: $value" }
    }
}

# Takes a command apart: parameters by name, with what they were given, and what stands by position.
function Read-Command {
    param($Root, $Command, $Cmdlet)
    $named = [ordered]@{}
    $positional = 0
    $isSplatted = $false
    $elements = @($Command.CommandElements)
    for ($index = 1; $index -lt $elements.Count; $index++) {
        $element = $elements[$index]
        if ($element -is [Management.Automation.Language.CommandParameterAst]) {
            $facts = $Cmdlet[$element.ParameterName]
            $given = $element.Argument
            $takesNone = $facts -and $facts['type'] -eq 'SwitchParameter'
            if (-not $given -and -not $takesNone -and $index + 1 -lt $elements.Count -and $elements[$index + 1] -isnot [Management.Automation.Language.CommandParameterAst]) {
                $index++
                $given = $elements[$index]
            }
            $named[$element.ParameterName] = @{ Value = $given; Always = $true }
        } elseif ($element -is [Management.Automation.Language.VariableExpressionAst] -and $element.Splatted) {
            $keys = @(Get-SplatKeys $Root $Command $element.VariablePath.UserPath)
            if ($keys.Count -eq 0) { $isSplatted = $true }
            foreach ($key in $keys) { $named[$key.Key] = @{ Value = $key.Value; Always = $key.Always } }
        } else {
            $positional++
        }
    }
    $pipeline = $Command.Parent
    $isPiped = $pipeline -is [Management.Automation.Language.PipelineAst] -and $pipeline.PipelineElements.IndexOf($Command) -gt 0
    @{ Named = $named; Positional = $positional; IsPiped = $isPiped; IsSplatted = $isSplatted }
}

# Whether some parameter set takes all that was given and gets all that it asks for.
function Test-Sets {
    param($Command, [string]$Name, $Cmdlet, $Read)
    $all = @($Cmdlet.Values | ForEach-Object { $_['sets'] } | Where-Object { $_ } | Sort-Object -Unique)
    if ($all.Count -eq 0) { $all = @('') }
    foreach ($set in $all) {
        $isIn = { param($facts) -not $facts['sets'] -or $facts['sets'] -contains $set }
        $given = @($Read.Named.Keys | Where-Object { $Cmdlet[$_] })
        if (@($given | Where-Object { -not (& $isIn $Cmdlet[$_]) }).Count -gt 0) { continue }
        $open = @($Cmdlet.Keys | Where-Object { $given -notcontains $_ -and (& $isIn $Cmdlet[$_]) })
        $byPosition = @($open | Where-Object { $null -ne $Cmdlet[$_]['position'] } | Sort-Object { $Cmdlet[$_]['position'] })
        if ($byPosition.Count -lt $Read.Positional) { continue }
        $filled = @($byPosition | Select-Object -First $Read.Positional)
        $missing = @($open | Where-Object { $Cmdlet[$_]['required'] -and $filled -notcontains $_ })
        # What comes down a pipeline fills what takes it.
        if ($Read.IsPiped) { $missing = @($missing | Where-Object { -not $Cmdlet[$_]['pipeline'] }) }
        if ($missing.Count -eq 0 -or $Read.IsSplatted) { return }
    }
    $words = @($Read.Named.Keys | ForEach-Object { "-$_" }) + @("$($Read.Positional) by position")
    Add-Fault $Command sets "$Name has no parameter set that takes exactly: $($words -join ', ')"
}

function Test-Own {
    param($Command, [string]$Name, $Function)
    $declared = @()
    foreach ($block in $Function.Parameters, $Function.Body.ParamBlock.Parameters) {
        foreach ($one in $block) { if ($one) { $declared += $one.Name.VariablePath.UserPath } }
    }
    foreach ($element in $Command.CommandElements) {
        if ($element -is [Management.Automation.Language.CommandParameterAst] -and $declared -notcontains $element.ParameterName) {
            Add-Fault $element parameter "the function $Name has no -$($element.ParameterName)"
        }
    }
}

function Test-Command {
    param($Root, $Command, $Functions, $Natives)
    $name = $Command.GetCommandName()
    # A script block or a program in a variable.
    if (-not $name) { return }
    # A cmdlet that is named with its module, where a user's function may have its name.
    $name = $name -creplace '^Microsoft\.PowerShell\.\w+\\', ''
    if ($Functions.ContainsKey($name)) { return Test-Own $Command $name $Functions[$name] }
    if ($Natives -contains $name) { return }
    if ($name -in 'Read-Host', 'Get-Credential', 'Out-GridView', 'Show-Command', 'pause') {
        return Add-Fault $Command input "$name waits for input"
    }
    $cmdlet = $cmdlets[$name]
    if (-not $cmdlet) { return Add-Fault $Command cmdlet "Windows PowerShell 5.1 has no cmdlet $name (aliases are not used)" }
    $canonical = @($cmdlets.Keys | Where-Object { $_ -eq $name })[0]
    if ($canonical -cne $name) { Add-Fault $Command cmdlet "it is written $canonical" }
    $read = Read-Command $Root $Command $cmdlet
    foreach ($parameter in $read.Named.Keys) {
        $value = $read.Named[$parameter].Value
        if ($common -contains $parameter) {
            if ($parameter -like '*Action') { Test-Values $Command $name $parameter $actions $value }
            continue
        }
        $facts = $cmdlet[$parameter]
        if (-not $facts) { Add-Fault $Command parameter "$name has no -$parameter"; continue }
        if ($facts['values']) { Test-Values $Command $name $parameter $facts['values'] $value }
    }
    foreach ($kind in 'Format', 'UFormat') {
        if ($name -eq 'Get-Date' -and $read.Named.Contains($kind)) { Add-Fault $Command culture 'Get-Date -Format follows the culture' }
    }
    # It asks before it acts.
    if ($name -eq 'Unregister-ScheduledTask' -and -not $read.Named.Contains('Confirm')) {
        Add-Fault $Command input "$name asks unless it is told -Confirm:`$false"
    }
    Test-Sets $Command $name $cmdlet $read
}

function Get-Functions {
    param($Root)
    $Root.FindAll({ param($node) $node -is [Management.Automation.Language.FunctionDefinitionAst] }, $true)
}

$known = @{}
foreach ($library in $request['libraries']) {
    foreach ($one in (Get-Functions ([Management.Automation.Language.Parser]::ParseInput($library, [ref]$null, [ref]$null)))) { $known[$one.Name] = $one }
}
$interesting = [Collections.Generic.HashSet[string]]::new([string[]]@(
    'TernaryExpressionAst', 'PipelineChainAst', 'PipelineAst', 'BinaryExpressionAst', 'AssignmentStatementAst', 'ScriptBlockAst',
    'MemberExpressionAst', 'InvokeMemberExpressionAst', 'IndexExpressionAst', 'VariableExpressionAst', 'CommandAst'))
$newVariables = [Collections.Generic.HashSet[string]]::new(
    [string[]]@('IsWindows', 'IsLinux', 'IsMacOS', 'IsCoreCLR', 'EnabledExperimentalFeatures'), [StringComparer]::OrdinalIgnoreCase)
# Every node. Compiled, since a script block would be asked for each.
$one = [Linq.Expressions.Expression]::Parameter([Management.Automation.Language.Ast])
$every = [Linq.Expressions.Expression]::Lambda(
    [Func[Management.Automation.Language.Ast, bool]], [Linq.Expressions.Expression]::Constant($true),
    [Linq.Expressions.ParameterExpression[]]@($one)).Compile()
foreach ($item in $request['texts']) {
    $current.Name = $item['name']
    $tokens = $null
    $errors = $null
    $root = [Management.Automation.Language.Parser]::ParseInput($item['text'], [ref]$tokens, [ref]$errors)
    foreach ($one in $errors) { Add-Fault $one parse $one.Message }
    Test-Token $tokens
    $nodes = $root.FindAll($every, $true)
    $functions = $known.Clone()
    foreach ($node in $nodes) { if ($node -is [Management.Automation.Language.FunctionDefinitionAst]) { $functions[$node.Name] = $node } }
    $current.Assignments = @(foreach ($node in $nodes) { if ($node -is [Management.Automation.Language.AssignmentStatementAst]) { $node } })
    foreach ($node in $nodes) {
        $kind = $node.GetType().Name
        if (-not $interesting.Contains($kind)) { continue }
        if ($kind -eq 'VariableExpressionAst') {
            if ($newVariables.Contains($node.VariablePath.UserPath)) { Add-Fault $node syntax "$node is not there in 5.1" }
            continue
        }
        if ($kind -eq 'CommandAst') {
            Test-Command $root $node $functions $request['natives']
            continue
        }
        Test-Syntax $node
        Test-Culture $node
        Test-Waiting $node ([bool]$item['reads_input'])
    }
}
$faults
