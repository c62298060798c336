import assert from 'node:assert/strict';
import { finished } from 'node:stream/promises';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Capture } from '../../src/windows/capture.ts';
import { RefusalFilter } from '../../src/windows/refusal.ts';

/** What comes out of a filter that was given these chunks, and the problems that it found. */
async function filter(refusal: string, chunks: readonly Uint8Array[]) {
  const sink = new Capture();
  const filtered = new RefusalFilter(sink, refusal);
  for (const chunk of chunks) filtered.write(Buffer.from(chunk));
  filtered.end();
  await finished(filtered);
  await filtered.flush();
  return { bytes: sink.bytes(), problems: filtered.problems };
}

const line = (refusal: string, problems: unknown) =>
  Buffer.from(`\x01${refusal} ${Buffer.from(JSON.stringify(problems)).toString('base64')}\n`);

describe('a refused run', () => {
  it('is known by its line, wherever the line was cut', async () => {
    const bytes = line('word', ['no parameter Größe', 'two']);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const { bytes: left, problems } = await filter('word', [bytes.subarray(0, cut), bytes.subarray(cut)]);
      assert.deepEqual(problems, ['no parameter Größe', 'two']);
      assert.equal(left.length, 0);
    }
  });

  it('leaves what else was written', async () => {
    const { bytes } = await filter('word', [line('word', ['a']), Buffer.from('more')]);
    assert.equal(bytes.toString(), 'more');
  });
});

describe('a run that was not refused', () => {
  it('keeps every byte of its standard error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array()), async (chunks) => {
        const { bytes, problems } = await filter('word', chunks);
        assert.deepEqual(bytes, Buffer.concat(chunks));
        assert.equal(problems, undefined);
      }),
    );
  });

  for (const [what, bytes] of [
    ["the line of another run's word", line('other', ['a'])],
    ['the beginning of such a line alone', Buffer.from('\x01wor')],
    ['such a line without its end', line('word', ['a']).subarray(0, -1)],
    ['such a line with no list in it', line('word', 'a')],
    ['such a line later on', Buffer.concat([Buffer.from('x\n'), line('word', ['a'])])],
  ] as const) {
    it(`keeps ${what}`, async () => {
      assert.deepEqual(await filter('word', [bytes]), { bytes, problems: undefined });
    });
  }
});
