import assert from 'node:assert/strict';
import { finished } from 'node:stream/promises';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type ObjectRecord, ObjectRecords, RecordCollector } from '../../src/windows/object-records.ts';

async function recordsOf(chunks: readonly Uint8Array[], stream: 'output' | 'error' = 'output') {
  const records: ObjectRecord[] = [];
  const sink = new ObjectRecords(stream, 'mark', async (record) => void records.push(record));
  for (const chunk of chunks) sink.write(Buffer.from(chunk));
  sink.end();
  await finished(sink);
  return records;
}

const output = (value: unknown) => ({ stream: 'output' as const, type: 'System.Object', value });
const lineOf = (record: object) => `\x1emark ${JSON.stringify(record)}\n`;

describe('records of objects', () => {
  it('come back as they were written, wherever they were cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue()), fc.nat(200), async (values, cut) => {
        const bytes = Buffer.from(values.map((value) => lineOf(output(value))).join(''));
        const records = await recordsOf([bytes.subarray(0, cut), bytes.subarray(cut)]);
        assert.deepEqual(records, JSON.parse(JSON.stringify(values.map(output))));
      }),
    );
  });

  it('keep what was written past the pipeline as records of text, in order', async () => {
    const bytes = Buffer.from(`one\n${lineOf(output(1))}half ${lineOf(output(2))}\r\nlast`);
    assert.deepEqual(await recordsOf([bytes]), [
      { stream: 'output', type: 'System.String', value: 'one' },
      output(1),
      { stream: 'output', type: 'System.String', value: 'half ' },
      output(2),
      { stream: 'output', type: 'System.String', value: 'last' },
    ]);
  });

  it('are errors where they are lines of standard error', async () => {
    assert.deepEqual(await recordsOf([Buffer.from('bad\n')], 'error'), [
      { stream: 'error', type: null, message: 'bad' },
    ]);
  });

  it('take a line that is no record for text', async () => {
    const lines = [
      '\x1emark {',
      '\x1emark {"stream":"end"}',
      '\x1emark 1',
      '\x1e{"stream":"output","type":null,"value":1}',
      '{"stream":"output","type":null,"value":1}',
    ];
    const records = await recordsOf([Buffer.from(`${lines.join('\n')}\n`)]);
    assert.deepEqual(
      records,
      lines.map((value) => ({ stream: 'output', type: 'System.String', value })),
    );
  });

  it('are kept up to a number of bytes, and it is said where some were left out', () => {
    const collector = new RecordCollector(100);
    collector.add(output('x'.repeat(20)));
    assert.equal(collector.isTruncated, false);
    collector.add(output('y'.repeat(80)));
    collector.add(output(1));
    assert.deepEqual([collector.records.length, collector.isTruncated], [1, true]);
  });

  it('wait for whoever takes them', async () => {
    let [taken, isBusy] = [0, false];
    const sink = new ObjectRecords('output', 'mark', async () => {
      assert.equal(isBusy, false);
      isBusy = true;
      await new Promise((resolve) => setTimeout(resolve, 1));
      isBusy = false;
      taken += 1;
    });
    sink.end(Buffer.from(lineOf(output(1)).repeat(5)));
    await finished(sink);
    assert.equal(taken, 5);
  });
});
