import type { Config } from '../config/sections.ts';
import { AutomationError } from '../core/errors.ts';

export type Shell = Config['windows']['shell'];

/**
 * A command line with the marker of its run, by which its processes can be found again: each shell is told to set an
 * environment variable first, so that the marker stands in its own command line. For `auto`, the shell is not known and
 * the command goes as it is: it is then its own marker.
 *
 * The command itself is never quoted: it is written for the shell that runs it, as with `ssh`.
 * - cmd: `%NAME%` expands, `^` escapes, `&`, `&&` and `||` separate, `"…"` holds a word together.
 * - powershell, pwsh: `$name` expands in `"…"`, a backtick escapes, `'…'` is literal.
 *
 * @param marker letters, digits and dashes
 */
export function markedCommand(shell: Shell, command: string, marker: string): { commandLine: string; marker: string } {
  if (!/^[A-Za-z0-9-]+$/.test(marker)) throw new RangeError(`not a marker: ${marker}`);
  if (shell === 'cmd') return { commandLine: `set "WIN_AUTOMATION_RUN=${marker}"& ${command}`, marker };
  if (shell === 'auto') return { commandLine: command, marker: command };
  return { commandLine: `$env:WIN_AUTOMATION_RUN = '${marker}'; ${command}`, marker };
}

/**
 * Quotes one word for cmd.exe and the programs that it starts: backslashes before a quote are doubled and quotes escaped
 * as the C runtime reads them (learn.microsoft.com, "Parsing C command-line arguments"), then every character that means
 * something to cmd.exe gets a caret. A percent sign is safe on a command line only next to a caret, where no variable of
 * that name is found.
 */
function quoteForCmd(word: string): string {
  const quoted = `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
  return quoted.replace(/[()%!^"<>&|]/g, '^$&');
}

/** Quotes one word for Windows PowerShell: single quotes, doubled inside; nothing expands there. */
function quoteForPowershell(word: string): string {
  // PowerShell takes typographic quotes for plain ones.
  return `'${word.replace(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;
}

/**
 * A program and its arguments as one command line, each word quoted so that it arrives as it is.
 *
 * @throws AutomationError `usage` where the shell is not known
 */
export function quoteWords(shell: Shell, words: readonly string[]): string {
  if (shell === 'auto') {
    throw new AutomationError('usage', '--quote needs to know the shell', {
      hint: "give --shell cmd, powershell or pwsh, or set windows.shell to what sshd's DefaultShell is",
    });
  }
  if (shell === 'cmd') return words.map(quoteForCmd).join(' ');
  return `& ${words.map(quoteForPowershell).join(' ')}`;
}
