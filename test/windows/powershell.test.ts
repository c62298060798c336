import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { powershellCommandLine } from '../../src/windows/powershell.ts';

const decode = (commandLine: string) => Buffer.from(commandLine.split(' ').at(-1) ?? '', 'base64').toString('utf16le');

describe('a PowerShell command line', () => {
  it('carries the script as base64 of UTF-16LE, safe in any shell', () => {
    const commandLine = powershellCommandLine(`Write-Output "ü $env:X" | % { 'a' } & b`);
    assert.match(commandLine, /^powershell -NoProfile -NonInteractive -EncodedCommand [A-Za-z0-9+/=]+$/);
    assert.ok(decode(commandLine).includes(`\nWrite-Output "ü $env:X" | % { 'a' } & b\n`));
  });

  it('stops at the first error and hides progress', () => {
    const script = decode(powershellCommandLine('exit 3'));
    assert.ok(script.startsWith("$ProgressPreference = 'SilentlyContinue'\n$ErrorActionPreference = 'Stop'\n"));
  });

  it('is refused where it is longer than cmd.exe takes', () => {
    assert.throws(() => powershellCommandLine('x'.repeat(4_000)), { code: 'usage' });
  });
});
