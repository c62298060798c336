import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LineSplitter } from '../../src/core/lines.ts';

/** Everything that a splitter gives for bytes that come in chunks of these sizes, over and over. */
function split(bytes: Buffer, sizes: readonly number[]): { lines: string[]; rest: string } {
  const splitter = new LineSplitter();
  const lines: string[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    lines.push(...splitter.push(bytes.subarray(at, at + size)));
    at += size;
  }
  return { lines, rest: splitter.end() };
}

describe('lines out of chunks', () => {
  it('are the same wherever the chunks were cut, within a character too', () => {
    const text = fc.string({ unit: 'binary' }).map((line) => line.replace(/[\r\n]/g, ''));
    const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
    const end = fc.constantFrom('\n', '\r\n');
    fc.assert(
      fc.property(fc.array(text), text, end, sizes, (lines, rest, newline, cuts) => {
        const bytes = Buffer.from([...lines, rest].join(newline), 'utf8');
        assert.deepEqual(split(bytes, cuts), { lines, rest });
      }),
    );
  });

  it('keep a carriage return that ends no line', () => {
    assert.deepEqual(split(Buffer.from('a\rb\r\nc'), [1]), { lines: ['a\rb'], rest: 'c' });
  });
});
