import type { Config } from '../../config/sections.ts';
import { scripts } from './scripts.ts';

/** The longest command line that cmd.exe takes, Windows OpenSSH's default shell (learn.microsoft.com, KB830473). */
export const maxCommandLine = 8_191;

/** Windows PowerShell 5.1, or the PowerShell 7 that is installed apart. */
export type PowershellProgram = 'powershell' | 'pwsh';

/** What sshd's DefaultShell is, where it is known. */
export type DefaultShell = Config['windows']['shell'];

/**
 * How a text gets to PowerShell: a command line of a few hundred characters, and the text itself at the start of standard
 * input. So no text is too long, and none of it can be read from the list of processes.
 */
export interface PowershellStart {
  readonly commandLine: string;
  readonly input: Buffer;
  /** Stands in the command line of this run's PowerShell, and of no other process but those that started it. */
  readonly marker: string;
}

/**
 * Starts a text on PowerShell. What follows it on standard input is the text's own.
 *
 * @param text composed by `compose.ts`
 * @param id makes the command line one of its kind; letters, digits and dashes
 */
export function startPowershell(
  text: string,
  id: string,
  program: PowershellProgram,
  defaultShell: DefaultShell,
): PowershellStart {
  if (!/^[A-Za-z0-9-]+$/.test(id)) throw new RangeError(`not an id: ${id}`);
  const input = Buffer.from(`${Buffer.from(text, 'utf8').toString('base64')}\n`, 'latin1');
  const loader = `${withoutComments(scripts.loader).replace('__SIZE__', String(input.length))}\n# ${id}`;
  const commandLine = encodedCommandLine(loader, program);
  return { commandLine: inDefaultShell(commandLine, defaultShell), input, marker: commandLine.split(' ').at(-1) ?? '' };
}

/** The command line that runs a text on PowerShell from cmd.exe. */
export function encodedCommandLine(text: string, program: PowershellProgram = 'powershell'): string {
  const options = '-NoProfile -NonInteractive -ExecutionPolicy Bypass -OutputFormat Text';
  return `${program} ${options} -EncodedCommand ${Buffer.from(text, 'utf16le').toString('base64')}`;
}

/**
 * A command line of cmd.exe's that gives its own exit code whatever shell sshd starts. A PowerShell there would make 1 of
 * every code but 0 (about_PowerShell_exe, "-Command"). Where the shell is not known the line says it to both: cmd.exe runs all
 * of it inside the quotes and takes no notice of what stands behind the number; PowerShell ends by what stands behind them.
 */
function inDefaultShell(commandLine: string, defaultShell: DefaultShell): string {
  if (defaultShell === 'cmd') return commandLine;
  if (defaultShell !== 'auto') return `${commandLine}; exit $LASTEXITCODE`;
  return `cmd /v:on /c "${commandLine}&exit !errorlevel!" ;exit $LASTEXITCODE`;
}

/** A script of ours without its comments and indentation. Not for texts with strings over several lines. */
function withoutComments(script: string): string {
  const lines = script.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#')).join('\n');
}

const hostText = `${scripts.hostProcesses}\n${scripts.host}`;
// In a PowerShell as default shell it would do as well: nobody asks for its exit code.
const hostStart = startPowershell(hostText, 'persistent', 'powershell', 'cmd');

/** The command line of the PowerShell that stays: it takes its text as the first line of its input. */
export const warmCommandLine: string = hostStart.commandLine;

/** The first line for its standard input (host.ps1), without the line's end. */
export const warmFirstLine: string = hostStart.input.toString('latin1').trimEnd();
