import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodedCommandLine, maxCommandLine, startPowershell } from '../../../src/windows/powershell/command-line.ts';
import {
  composeCmdRun,
  composeRun,
  composeScript,
  decodeArgument,
  encodeArgument,
} from '../../../src/windows/powershell/compose.ts';
import { scripts } from '../../../src/windows/powershell/scripts.ts';
import { grammarFaults } from '../../support/powershell-grammar.ts';

const helpers = ['argument', 'environment', 'host', 'hostProcesses', 'loader', 'objects', 'parameters', 'run'];
const decode = (commandLine: string) => Buffer.from(commandLine.split(' ').at(-1) ?? '', 'base64').toString('utf16le');

/** Whether PowerShell can tell the keys of every object apart. */
function hasDistinctKeys(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  const keys = Object.keys(value).map((key) => key.toLowerCase());
  return new Set(keys).size === keys.length && Object.values(value).every(hasDistinctKeys);
}

describe('every script', () => {
  for (const [name, text] of Object.entries(scripts)) {
    it(`${name} parses, alone and composed`, async () => {
      assert.deepEqual(await grammarFaults(text), []);
      assert.deepEqual(await grammarFaults(composeScript(text, { a: 1 })), []);
    });

    it(`${name} is ASCII, says what it is for, and takes one argument`, () => {
      assert.match(text, /^# [A-Z]/);
      assert.match(text, /^[\n -~]*$/);
      if (!helpers.includes(name)) assert.match(text, /^param\(\[string\]\$Argument\)$/m);
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
    assert.match(commandLine, /^powershell( -[A-Za-z]+| Bypass| Text)+ -EncodedCommand [A-Za-z0-9+/=]+$/);
    assert.equal(decode(commandLine), `Write-Output "ü $env:X" | % { 'a' } & b`);
  });
});

describe('the start of a text', () => {
  const start = (text: string, shell: 'auto' | 'cmd' | 'powershell' | 'pwsh' = 'cmd') =>
    startPowershell(text, 'run-1', 'powershell', shell);

  it('fits into a command line, however long the text is', () => {
    for (const shell of ['auto', 'cmd', 'powershell', 'pwsh'] as const) {
      assert.ok(start('x'.repeat(5_000_000), shell).commandLine.length < maxCommandLine / 2);
    }
  });

  it('has the text at the start of standard input, and its exact size in the loader', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { commandLine, input } = start(text.toWellFormed());
        assert.match(decode(commandLine), new RegExp(`ArgumentList ${input.length}\\n`));
        assert.equal(Buffer.from(input.toString('latin1'), 'base64').toString('utf8'), text.toWellFormed());
      }),
    );
  });

  it('parses, and never says $input, which would read all of standard input', async () => {
    const loader = decode(start('1').commandLine);
    assert.deepEqual(await grammarFaults(loader), []);
    assert.doesNotMatch(loader, /\$input\b/i);
  });

  it('gives the exit code of PowerShell in every default shell', () => {
    assert.match(
      start('1', 'auto').commandLine,
      /^cmd \/v:on \/c "powershell [^"]*&exit !errorlevel!" ;exit \$LASTEXITCODE$/,
    );
    assert.match(start('1', 'powershell').commandLine, /^powershell .*; exit \$LASTEXITCODE$/);
    assert.match(start('1', 'cmd').commandLine, /^powershell [^;&"]*$/);
  });

  it('has its marker in its own command line alone', () => {
    const [one, two] = [start('1'), startPowershell('1', 'run-2', 'powershell', 'cmd')];
    assert.ok(one.commandLine.includes(one.marker));
    assert.ok(!two.commandLine.includes(one.marker));
  });
});

describe('composed text', () => {
  const run = { kind: 'command', text: 'Get-Date', refusal: 'r' } as const;

  it('stops at the first error unless it is told to go on', () => {
    assert.match(composeRun(run), /^\$ErrorActionPreference = 'Stop'$/m);
    assert.match(composeRun({ ...run, errorAction: 'continue' }), /^\$ErrorActionPreference = 'Continue'$/m);
  });

  it('reads standard input only for a text that says $input', () => {
    const call = /Initialize-Run .* -ReadsInput$/m;
    assert.match(composeRun({ ...run, text: '$Input | Sort-Object', hasInput: true }), call);
    assert.doesNotMatch(composeRun({ ...run, text: '$inputs', hasInput: true }), call);
    assert.doesNotMatch(composeRun({ ...run, text: '$input', hasInput: false }), call);
  });

  for (const kind of ['command', 'script', 'check'] as const) {
    for (const objectDepth of [undefined, 3]) {
      it(`parses as a ${kind} ${objectDepth === undefined ? 'that prints' : 'of objects'}`, async () => {
        assert.deepEqual(await grammarFaults(composeRun({ ...run, kind, objectDepth })), []);
      });
    }
  }

  it('differs by its base64 argument alone, whatever the values are', () => {
    const argument = /'[A-Za-z0-9+/=]*'\)?$/gm;
    const skeleton = (text: string) => text.replace(argument, "''");
    const composed = (value: unknown, text: string, parameter: string) => [
      skeleton(composeScript(scripts.echo, value)),
      skeleton(
        composeRun({
          ...run,
          kind: 'script',
          text,
          name: text,
          cwd: text,
          parameters: { p: parameter },
          env: { e: text },
        }),
      ),
      skeleton(composeCmdRun(text, { refusal: 'r', cwd: parameter, env: { e: text } })),
    ];
    const plain = composed({}, '', '');
    fc.assert(
      fc.property(
        fc.jsonValue().filter(hasDistinctKeys),
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary' }),
        (value, text, parameter) => {
          assert.deepEqual(composed(value, text, parameter), plain);
        },
      ),
    );
  });

  it('refuses keys that differ in case only, which no PowerShell can tell apart', () => {
    assert.throws(() => encodeArgument({ a: { Key: 1, key: 2 } }), { code: 'usage' });
    assert.throws(() => composeRun({ ...run, env: { PATH: '1', Path: '2' } }), { code: 'usage' });
  });

  it('gives back any value from its argument', () => {
    fc.assert(
      fc.property(fc.jsonValue().filter(hasDistinctKeys), (value) => {
        assert.deepEqual(decodeArgument(encodeArgument(value)), JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
