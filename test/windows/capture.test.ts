import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Capture } from '../../src/windows/capture.ts';

async function capture(chunks: readonly Uint8Array[], limitBytes?: number) {
  const sink = new Capture(limitBytes);
  for (const chunk of chunks) await new Promise((resolve) => sink.write(chunk, resolve));
  return sink.read();
}

describe('captured output', () => {
  it('is empty where nothing came', async () => {
    assert.deepEqual(await capture([]), { text: '', encoding: 'utf-8', sizeBytes: 0, isTruncated: false });
  });

  it('keeps text as it is, line ends too', async () => {
    assert.equal((await capture([Buffer.from('a\r\nü')])).text, 'a\r\nü');
  });

  it('puts what is no text into base64', async () => {
    assert.deepEqual(await capture([Buffer.from([0xff, 0xfe])]), {
      text: '//4=',
      encoding: 'base64',
      sizeBytes: 2,
      isTruncated: false,
    });
    assert.equal((await capture([Buffer.from('a\0b')])).encoding, 'base64');
  });

  it('says that it was cut, and how much there was', async () => {
    assert.deepEqual(await capture([Buffer.from('abc'), Buffer.from('def')], 4), {
      text: 'abcd',
      encoding: 'utf-8',
      sizeBytes: 6,
      isTruncated: true,
    });
  });

  it('cuts no character in two, wherever the limit falls', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1 }), fc.nat({ max: 40 }), async (text, limit) => {
        fc.pre(!text.includes('\0'));
        const kept = await capture([Buffer.from(text)], limit);
        assert.equal(kept.encoding, 'utf-8');
        assert.ok(text.startsWith(kept.text));
        assert.ok(Buffer.byteLength(kept.text) > Math.min(limit, Buffer.byteLength(text)) - 4);
      }),
    );
  });

  it('gives back any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array()), async (chunks) => {
        const { text, encoding } = await capture(chunks);
        assert.deepEqual(Buffer.from(text, encoding as 'utf-8' | 'base64'), Buffer.concat(chunks));
      }),
    );
  });
});
