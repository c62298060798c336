import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeValue, encodeWords } from '../../src/core/words.ts';
import { parseWords } from '../support/words.ts';

describe('key=value words', () => {
  for (const [value, written] of [
    ['abc', 'abc'],
    ['http://h:1/p?q', 'http://h:1/p?q'],
    ['', '""'],
    ['a b', '"a b"'],
    ['a=b', '"a=b"'],
    ['say "hi"', '"say \\"hi\\""'],
    ['C:\\x', '"C:\\\\x"'],
    ['a\r\n\tb', '"a\\r\\n\\tb"'],
    ['ü', '"\\u00fc"'],
    ['😀', '"\\ud83d\\ude00"'],
    ['\u0000\u007f', '"\\u0000\\u007f"'],
    [7, '7'],
    [true, 'true'],
    [null, 'null'],
  ] as const) {
    it(`writes ${JSON.stringify(value)} as ${written}`, () => assert.equal(encodeValue(value), written));
  }

  it('leaves out what is undefined', () => assert.equal(encodeWords({ a: 1, b: undefined, c: 2 }), 'a=1 c=2'));

  it('gives back any string, lone surrogates too, from one line of printable ASCII', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), fc.string({ unit: 'binary' })), (fields) => {
        const line = encodeWords(fields);
        assert.match(line, /^[ -~]*$/);
        assert.deepEqual(parseWords(line), { ...fields });
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 0xffff })), (units) => {
        const text = String.fromCharCode(...units);
        assert.equal(parseWords(`k=${encodeValue(text)}`)['k'], text);
      }),
    );
  });

  it('gives back a text of megabytes', () => {
    const text = `${'ab\n"ü'.repeat(300_000)}end`;
    assert.equal(parseWords(`k=${encodeValue(text)}`)['k'], text);
  });
});
