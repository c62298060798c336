import { AutomationError } from '../core/errors.ts';

/** The longest command line that cmd.exe takes, Windows OpenSSH's default shell (learn.microsoft.com, KB830473). */
const maxCommandLine = 8_191;

const prelude = [
  "$ProgressPreference = 'SilentlyContinue'",
  "$ErrorActionPreference = 'Stop'",
  '[Console]::OutputEncoding = New-Object System.Text.UTF8Encoding $false',
  '$OutputEncoding = [Console]::OutputEncoding',
].join('\n');

// Without this, powershell.exe ends with 0 after a native command that failed as the last one.
const epilogue = 'if ($?) { exit 0 } elseif ($LASTEXITCODE) { exit $LASTEXITCODE } else { exit 1 }';

/**
 * The command line that runs a PowerShell script on Windows PowerShell 5.1 from any shell: the exit code is the
 * script's own `exit`, else that of its last command.
 *
 * @throws AutomationError `usage` if the script is too long for a command line
 */
export function powershellCommandLine(script: string): string {
  const text = `${prelude}\n${script}\n${epilogue}`;
  const encoded = Buffer.from(text, 'utf16le').toString('base64');
  const commandLine = `powershell -NoProfile -NonInteractive -EncodedCommand ${encoded}`;
  if (commandLine.length > maxCommandLine) {
    throw new AutomationError('usage', `a script of ${script.length} characters is too long for a command line`);
  }
  return commandLine;
}
