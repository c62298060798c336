import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { markedCommand, quoteWords } from '../../src/windows/shells.ts';

describe('a marked command', () => {
  it('is the command behind spaces and tabs, which no shell sees', () => {
    const { commandLine, marker } = markedCommand('echo a && b');
    assert.equal(commandLine, `${marker}echo a && b`);
    assert.match(marker, /^[ \t]{64}$/);
  });

  it('has a marker that no other run has, the same command or not', () => {
    const markers = new Set(Array.from({ length: 1_000 }, () => markedCommand('ping x').marker));
    assert.equal(markers.size, 1_000);
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
