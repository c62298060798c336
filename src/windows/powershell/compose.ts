import { scripts } from './scripts.ts';

/** The longest command line that cmd.exe takes, Windows OpenSSH's default shell (learn.microsoft.com, KB830473). */
export const maxCommandLine = 8_191;

const prelude = [
  "$ProgressPreference = 'SilentlyContinue'",
  "$ErrorActionPreference = 'Stop'",
  '$OutputEncoding = New-Object System.Text.UTF8Encoding $false',
  // Without a console there is no code page to set, and nothing to lose.
  'try { [Console]::OutputEncoding = $OutputEncoding; [Console]::InputEncoding = $OutputEncoding } catch { $Error.Clear() }',
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

// Without this, powershell.exe ends with 0 after a native command that failed as the last one.
const epilogue = 'if ($?) { exit 0 } elseif ($LASTEXITCODE) { exit $LASTEXITCODE } else { exit 1 }';

/** Windows PowerShell 5.1, or the PowerShell 7 that is installed apart. */
export type PowershellProgram = 'powershell' | 'pwsh';

const programLine = (program: PowershellProgram) => `${program} -NoProfile -NonInteractive`;

/**
 * A JSON value as scripts take it: base64 of UTF-8, which no shell and no quoting rule can touch. Each string gets a guard in
 * front, which argument.ps1 takes off: ConvertFrom-Json of PowerShell 7 takes strings for dates.
 */
export function encodeArgument(value: unknown): string {
  return Buffer.from(JSON.stringify(value, guardString), 'utf8').toString('base64');
}

/** The value that `encodeArgument` was given. */
export function decodeArgument(argument: string): unknown {
  return JSON.parse(Buffer.from(argument, 'base64').toString('utf8'), (_key, value) =>
    typeof value === 'string' ? value.slice(guard.length) : value,
  );
}

const guard = '=';
const guardString = (_key: string, value: unknown) => (typeof value === 'string' ? `${guard}${value}` : value);

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

/**
 * A script of the user's, as one text. Their text travels inside the argument; its output streams as it comes, and its
 * exit code is its own.
 */
export function composeUserScript(script: string, parameters: Readonly<Record<string, string>>): string {
  return composeRunner(scripts.runScript, { script, parameters });
}

/** A command line for cmd.exe as one text for PowerShell: what runs it starts no shell of its own in between. */
export function composeCmdCommand(command: string): string {
  return composeRunner(scripts.runCmd, { command });
}

/** A script of ours that lets something of the user's speak for itself. */
function composeRunner(script: string, argument: unknown): string {
  return `${prelude}\n${callScript(script, `'${encodeArgument(argument)}'`)}`;
}

/** Any PowerShell of the user's as one text: its exit code is its own `exit`, else that of its last command. */
export function composeCommand(command: string): string {
  return `${prelude}\n${command}\n${epilogue}`;
}

/** The command line that runs a text on PowerShell from any shell. It may be longer than `maxCommandLine`. */
export function encodedCommandLine(text: string, program: PowershellProgram = 'powershell'): string {
  return `${programLine(program)} -EncodedCommand ${Buffer.from(text, 'utf16le').toString('base64')}`;
}

/** The command line that runs a text that was uploaded. @param path of the file on Windows, without spaces or quotes */
export function fileCommandLine(path: string, program: PowershellProgram = 'powershell'): string {
  return `${programLine(program)} -ExecutionPolicy Bypass -File ${path}`;
}

/** A text as the bytes of a .ps1 file: with a byte order mark, since Windows PowerShell takes others for ANSI. */
export function scriptFileBytes(text: string): Buffer {
  return Buffer.from(`\uFEFF${text}`, 'utf8');
}

/** The command line of the PowerShell that stays: it takes the rest of its text as the first line of its input. */
export const warmCommandLine: string = encodedCommandLine(scripts.loader).replace(
  ' -EncodedCommand ',
  ' -OutputFormat Text -ExecutionPolicy Bypass -EncodedCommand ',
);

/** The first line for its standard input (host.ps1), without the line's end. */
export const warmFirstLine: string = Buffer.from(`${scripts.hostProcesses}\n${scripts.host}`, 'utf8').toString(
  'base64',
);
