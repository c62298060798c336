import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { markedCommand, quoteWords } from '../../src/windows/shells.ts';

describe('a marked command', () => {
  it('goes as it is where the shell is not known, and is its own marker', () => {
    assert.deepEqual(markedCommand('auto', 'ping x', 'run-1'), { commandLine: 'ping x', marker: 'ping x' });
  });
  it('sets a variable first in a shell that is known', () => {
    assert.equal(markedCommand('cmd', 'a && b', 'run-1').commandLine, 'set "WIN_AUTOMATION_RUN=run-1"& a && b');
    assert.equal(markedCommand('pwsh', 'a; b', 'run-1').commandLine, "$env:WIN_AUTOMATION_RUN = 'run-1'; a; b");
  });
  it('refuses a marker that a shell could take for something else', () => {
    assert.throws(() => markedCommand('cmd', 'x', 'a & b'), RangeError);
  });
});

describe('quoting a word', () => {
  for (const [word, quoted] of [
    ['plain', '^"plain^"'],
    ['a b', '^"a b^"'],
    ['say "hi"', '^"say \\^"hi\\^"^"'],
    ['C:\\dir\\', '^"C:\\dir\\\\^"'],
    ['a&b|c', '^"a^&b^|c^"'],
    ['%PATH%', '^"^%PATH^%^"'],
  ] as const) {
    it(`for cmd: ${word}`, () => assert.equal(quoteWords('cmd', [word]), quoted));
  }
  it('refuses to guess the shell', () => {
    assert.throws(() => quoteWords('auto', ['x']), { code: 'usage' });
  });
  it('for PowerShell doubles single quotes, typographic ones too', () => {
    assert.equal(quoteWords('powershell', ["it's $x"]), "& 'it''s $x'");
    assert.equal(quoteWords('pwsh', ['a\u2019b', 'c']), "& 'a\u2019\u2019b' 'c'");
  });
});
