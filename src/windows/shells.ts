import { randomBytes } from 'node:crypto';
import type { Config } from '../config/sections.ts';
import { AutomationError } from '../core/errors.ts';

export type Shell = Config['windows']['shell'];

const markerLength = 64;

/**
 * A command line with a marker of its own in front, by which the processes of this very run can be found again: spaces and
 * tabs, which every shell passes over and every list of processes keeps. So the shell need not be known, and nothing is added
 * that a command could print.
 *
 * The command itself is never quoted: it is written for the shell that runs it, as with `ssh`.
 * - cmd: `%NAME%` expands, `^` escapes, `&`, `&&` and `||` separate, `"…"` holds a word together.
 * - powershell, pwsh: `$name` expands in `"…"`, a backtick escapes, `'…'` is literal.
 */
export function markedCommand(command: string): { commandLine: string; marker: string } {
  const bits = [...randomBytes(markerLength / 8)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const marker = bits.replaceAll('0', ' ').replaceAll('1', '\t');
  return { commandLine: `${marker}${command}`, marker };
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
