import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import iconv from 'iconv-lite';
import * as v from 'valibot';
import { textEncoding } from '../../src/config/values.ts';
import { Capture } from '../../src/windows/capture.ts';
import { decodeCapture, labelOfCodePage } from '../../src/windows/text-encoding.ts';

const nobody = async () => assert.fail('the host was asked for its code page');

async function decode(
  bytes: readonly number[] | Buffer,
  label = 'auto',
  codePage = nobody as () => Promise<string | undefined>,
) {
  const capture = new Capture();
  await new Promise((done) => capture.end(Buffer.from(bytes), () => done(undefined)));
  const { text, encoding } = await decodeCapture(capture, label, codePage);
  return [text, encoding];
}

describe('output', () => {
  it('is UTF-8 where its bytes are UTF-8, and nobody is asked', async () => {
    assert.deepEqual(await decode(Buffer.from('Größe 日本')), ['Größe 日本', 'utf-8']);
    assert.deepEqual(await decode([]), ['', 'utf-8']);
  });

  it("is text of the host's code page where it is not", async () => {
    const bytes = iconv.encode('Größe', 'ibm437');
    assert.deepEqual(await decode(bytes, 'auto', async () => 'ibm437'), ['Größe', 'ibm437']);
  });

  it('is text of the code page that was configured, whatever it looks like', async () => {
    assert.deepEqual(await decode([0x94], 'ibm850'), ['ö', 'ibm850']);
    assert.deepEqual(await decode(Buffer.from('ö'), 'windows-1252'), ['Ã¶', 'windows-1252']);
  });

  it('is text of UTF-16 where it begins with its byte order mark', async () => {
    assert.deepEqual(await decode(Buffer.from('\uFEFFabö', 'utf16le')), ['abö', 'utf-16le']);
  });

  it('is base64 where it is no text, or the code page is not known', async () => {
    assert.deepEqual(await decode([1, 0, 0xff]), ['AQD/', 'base64']);
    assert.deepEqual(await decode([0xff, 0xfe], 'auto', async () => undefined), ['//4=', 'base64']);
    assert.deepEqual(await decode([0xff], 'auto', async () => undefined), ['/w==', 'base64']);
    assert.deepEqual(await decode([0xff], 'utf-8'), ['/w==', 'base64']);
  });
});

describe('the label of a code page', () => {
  const codePages = [437, 720, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 866, 869, 874];
  for (const codePage of [
    ...codePages,
    932,
    936,
    949,
    950,
    1250,
    1251,
    1252,
    1253,
    1254,
    1255,
    1256,
    1257,
    1258,
    65001,
  ]) {
    it(`of ${codePage} may be configured, and can be decoded`, () => {
      const label = labelOfCodePage(codePage);
      assert.equal(v.safeParse(textEncoding.schema, label).success, true, label);
      assert.equal(iconv.encodingExists(label), true, label);
    });
  }

  it('is refused where it is none', () => {
    for (const label of ['', 'utf8!', 'ibm1', 'latin', '437', 'UTF-8 ']) {
      assert.equal(v.safeParse(textEncoding.schema, label).success, false, label);
    }
  });
});
