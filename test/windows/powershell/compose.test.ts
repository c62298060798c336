import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  composeCommand,
  composeScript,
  composeUserScript,
  decodeArgument,
  encodeArgument,
  encodedCommandLine,
  fileCommandLine,
  scriptFileBytes,
} from '../../../src/windows/powershell/compose.ts';
import { scripts } from '../../../src/windows/powershell/scripts.ts';
import { grammarFaults } from '../../support/powershell-grammar.ts';

const decode = (commandLine: string) => Buffer.from(commandLine.split(' ').at(-1) ?? '', 'base64').toString('utf16le');

describe('every script', () => {
  for (const [name, text] of Object.entries(scripts)) {
    it(`${name} parses, alone and composed`, async () => {
      assert.deepEqual(await grammarFaults(text), []);
      assert.deepEqual(await grammarFaults(composeScript(text, { a: 1 })), []);
    });

    it(`${name} is ASCII, says what it is for, and takes one argument`, () => {
      assert.match(text, /^# [A-Z]/);
      assert.match(text, /^[\n -~]*$/);
      if (!['host', 'hostProcesses', 'loader', 'argument'].includes(name))
        assert.match(text, /^param\(\[string\]\$Argument\)$/m);
    });

    it(`${name} needs nothing newer than Windows PowerShell 5.1`, () => {
      // The C# inside has operators that PowerShell 5.1 lacks.
      const own = text.replace(/@'\n[\s\S]*?\n'@/g, "''");
      assert.doesNotMatch(own, /\?\?|\?\.|-AsHashtable|-Parallel|Get-Error|ConvertFrom-Json -Depth/);
      assert.doesNotMatch(own, /&&|\|\|/);
    });
  }
});

describe('the grammar', () => {
  it('finds faults, so that its silence means something', async () => {
    assert.notDeepEqual(await grammarFaults('if ($x { "a" }'), []);
    assert.notDeepEqual(await grammarFaults('$a = @{ x = 1'), []);
  });
});

describe('a PowerShell command line', () => {
  it('carries its text as base64 of UTF-16LE, safe in any shell', () => {
    const commandLine = encodedCommandLine(`Write-Output "ü $env:X" | % { 'a' } & b`);
    assert.match(commandLine, /^powershell -NoProfile -NonInteractive -EncodedCommand [A-Za-z0-9+/=]+$/);
    assert.equal(decode(commandLine), `Write-Output "ü $env:X" | % { 'a' } & b`);
  });

  it('runs an uploaded file, which begins with a byte order mark', () => {
    assert.match(fileCommandLine('x.ps1'), / -ExecutionPolicy Bypass -File x\.ps1$/);
    assert.deepEqual([...scriptFileBytes('ü').subarray(0, 3)], [0xef, 0xbb, 0xbf]);
  });
});

describe('composed text', () => {
  it('stops at the first error and hides progress', () => {
    const text = composeCommand('exit 3');
    assert.ok(text.startsWith("$ProgressPreference = 'SilentlyContinue'\n$ErrorActionPreference = 'Stop'\n"));
    assert.ok(text.includes('\nexit 3\n'));
  });

  it('differs by its base64 argument alone, whatever the values are', () => {
    const argument = /'[A-Za-z0-9+/=]*'\)?$/gm;
    const skeleton = (text: string) => text.replace(argument, "''");
    const [plain, user] = [skeleton(composeScript(scripts.echo, {})), skeleton(composeUserScript('', {}))];
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        (value, script, parameter) => {
          assert.equal(skeleton(composeScript(scripts.echo, value)), plain);
          assert.equal(skeleton(composeUserScript(script, { p: parameter })), user);
        },
      ),
    );
  });

  it('gives back any value from its argument', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        assert.deepEqual(decodeArgument(encodeArgument(value)), JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
