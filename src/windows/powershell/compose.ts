import { AutomationError } from '../../core/errors.ts';
import { scripts } from './scripts.ts';

const prelude = [
  "$ProgressPreference = 'SilentlyContinue'",
  "$ErrorActionPreference = 'Stop'",
  '$OutputEncoding = New-Object System.Text.UTF8Encoding $false',
  // Without a console there is no code page to set, and nothing to lose.
  'try { [Console]::OutputEncoding = $OutputEncoding; [Console]::InputEncoding = $OutputEncoding } catch { $Error.Clear() }',
  // PowerShell 7 colours its errors on a pipe too.
  "if ($PSStyle) { $PSStyle.OutputRendering = 'PlainText' }",
].join('\n');

// A script's one document leaves as bytes of UTF-8, whatever the console's code page is.
const writeDocument = [
  '$bytes = $OutputEncoding.GetBytes([string]::Join("`n", $document))',
  '$stream = [Console]::OpenStandardOutput()',
  '$stream.Write($bytes, 0, $bytes.Length)',
  '$stream.Flush()',
].join('\n');

// The same reason as from the PowerShell that stays.
const writeReason = '[Console]::Error.WriteLine($_.Exception.GetBaseException().Message)\nexit 1';

const guard = '=';
const guardString = (_key: string, value: unknown) => (typeof value === 'string' ? `${guard}${value}` : value);

/**
 * A JSON value as scripts take it: base64 of UTF-8, which no shell and no quoting rule can touch. Each string gets a guard in
 * front, which argument.ps1 takes off: ConvertFrom-Json of PowerShell 7 takes some strings for dates.
 *
 * @throws AutomationError `usage` where two keys of an object differ in case only, which PowerShell can't tell apart
 */
export function encodeArgument(value: unknown): string {
  requireDistinctKeys(value);
  return Buffer.from(JSON.stringify(value, guardString), 'utf8').toString('base64');
}

function requireDistinctKeys(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const seen = new Map<string, string>();
  for (const [key, inner] of Object.entries(value)) {
    const other = seen.get(key.toLowerCase());
    if (other !== undefined) {
      throw new AutomationError('usage', `${other} and ${key} differ in case only, which PowerShell can't tell apart`);
    }
    seen.set(key.toLowerCase(), key);
    requireDistinctKeys(inner);
  }
}

/** The value that `encodeArgument` was given. */
export function decodeArgument(argument: string): unknown {
  return JSON.parse(Buffer.from(argument, 'base64').toString('utf8'), (_key, value) =>
    typeof value === 'string' ? value.slice(guard.length) : value,
  );
}

/** A script of ours as a text that runs by itself: its one argument is the text's own first. */
export function callableScript(script: string): string {
  return callScript(script, '$args[0]');
}

const callScript = (script: string, argument: string) =>
  `${scripts.argument.trimEnd()}\n& {\n${script.trimEnd()}\n} ${argument}\n`;

/**
 * A script of ours with its argument, as one text that prints one document. The argument is base64 in quotes: nothing else
 * of a caller's ever gets into script text.
 */
export function composeScript(script: string, argument: unknown): string {
  const call = callScript(script, `'${encodeArgument(argument)}'`);
  return `${prelude}\ntry {\n$document = @(\n${call})\n} catch {\n${writeReason}\n}\n${writeDocument}\n`;
}

/** What everything that runs for a user may be told. */
interface RunOptions {
  /** The word that a refusal begins with, known to nobody else. Letters, digits and dashes. */
  readonly refusal: string;
  /** The folder to start in; without it the account's home folder. */
  readonly cwd?: string | undefined;
  /** Environment variables. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export type ErrorAction = 'stop' | 'continue';

/** A value for a parameter of a script. Text becomes what the script declares. */
export type ParameterValue =
  | string
  | number
  | boolean
  | null
  | readonly ParameterValue[]
  | { readonly [key: string]: ParameterValue };

export interface PowershellRun extends RunOptions {
  /** A check is a command that also fails where its last value is exactly `$false`. */
  readonly kind: 'command' | 'script' | 'check';
  readonly text: string;
  /** Of a script: its file name, which errors point at, and the folder below the home folder that it gets. */
  readonly name?: string | undefined;
  readonly folder?: string | undefined;
  readonly parameters?: Readonly<Record<string, ParameterValue>> | undefined;
  /** `stop` unless told: an error ends the run. */
  readonly errorAction?: ErrorAction | undefined;
  /** Each object as a line of JSON, so many levels deep; without it what PowerShell prints. */
  readonly objectDepth?: number | undefined;
  /** What each such line begins with, behind a record separator; known to nobody else. Letters, digits and dashes. */
  readonly objectMark?: string | undefined;
  /** Whether standard input is to be had, for a text that says `$input`. */
  readonly hasInput?: boolean | undefined;
}

/**
 * PowerShell of the user's as one text. Their text travels inside the argument; output and errors come as PowerShell writes
 * them, and the exit code is their own `exit`, that of the last program where that failed last, or 1 where an error ended it.
 */
export function composeRun(run: PowershellRun): string {
  const {
    kind,
    text,
    name = '',
    folder = '',
    parameters = {},
    errorAction = 'stop',
    objectDepth,
    objectMark = '',
    hasInput,
  } = run;
  const parsed = parsedObjects(parameters);
  const request = { kind, text, name, folder, parameters, parsed, error_action: errorAction, ...optionsOf(run) };
  const isScript = kind === 'script';
  const needed = [
    scripts.argument,
    scripts.environment,
    ...(isScript ? [scripts.parameters] : []),
    ...(objectDepth === undefined ? [] : [scripts.objects]),
    scripts.run,
  ];
  const readsInput = hasInput === true && /\$input\b/i.test(text) ? ' -ReadsInput' : '';
  return [
    prelude,
    '$WinAutomationRun = @{ Module = New-Object -TypeName Management.Automation.PSModuleInfo -ArgumentList $true; Returned = $true }',
    // Out of reach of a text that removes variables.
    "[AppDomain]::CurrentDomain.SetData('WinAutomationRun', $WinAutomationRun)",
    '. $WinAutomationRun.Module {',
    ...needed.map((script) => script.trimEnd()),
    '}',
    'try {',
    `& $WinAutomationRun.Module { param($Run, $Argument) Initialize-Run -Run $Run -Argument $Argument${readsInput}`,
    `} $WinAutomationRun '${encodeArgument(request)}'`,
    'if ($null -eq $WinAutomationRun.Error) {',
    '$WinAutomationParameters = $WinAutomationRun.Parameters',
    `$ErrorActionPreference = '${errorAction === 'stop' ? 'Stop' : 'Continue'}'`,
    '& $WinAutomationRun.Module { Disable-ErrorPropagation }',
    ...(objectDepth === undefined ? ['. $WinAutomationRun.Call'] : sunkCall(sinkOptions(objectDepth, objectMark))),
    '}',
    `} catch { ${keptRun}.Error = $_ }`,
    `& (${keptRun}.Module) { param($Run)`,
    objectDepth === undefined
      ? 'Write-RunError -Run $Run'
      : `if ($null -ne $Run.Error) { $Run.Error | Write-ObjectRecord ${sinkOptions(objectDepth, objectMark)} }`,
    'Complete-Run -Run $Run',
    `} ${keptRun}`,
    '',
  ].join('\n');
}

/** The parameters whose text is a JSON object. It is read here: newer PowerShells take some strings in it for dates. */
function parsedObjects(parameters: Readonly<Record<string, ParameterValue>>): Record<string, unknown> {
  const parsed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(parameters)) {
    if (typeof value !== 'string' || !/^\s*\{/.test(value)) continue;
    try {
      parsed[name] = JSON.parse(value);
    } catch {
      // Then it is text; for a hashtable PowerShell refuses it, and says why.
    }
  }
  return parsed;
}

const keptRun = "([AppDomain]::CurrentDomain.GetData('WinAutomationRun'))";

const sinkOptions = (depth: number, mark: string) => `-Depth ${depth} -Mark '${mark}'`;

/** The call with each object of every stream written as a record. */
function sunkCall(options: string): string[] {
  const sink = `& $WinAutomationRun.WriteRecord ${options}`;
  return [
    'if ($WinAutomationRun.MergesErrors) {',
    `. { . $WinAutomationRun.Call } *>&1 | ${sink}`,
    '} else {',
    `. { . $WinAutomationRun.Call } 3>&1 4>&1 5>&1 6>&1 | ${sink}`,
    '}',
  ];
}

/** A command line for cmd.exe as one text for PowerShell: what runs it starts no shell of its own in between. */
export function composeCmdRun(command: string, options: RunOptions): string {
  const argument = encodeArgument({ command, ...optionsOf(options) });
  const before = [scripts.argument, scripts.environment].map((script) => script.trimEnd());
  return `${prelude}\n${before.join('\n')}\n& {\n${scripts.runCmd.trimEnd()}\n} '${argument}'\n`;
}

const optionsOf = ({ refusal, cwd = '', env = {} }: RunOptions) => ({ refusal, cwd, env });
