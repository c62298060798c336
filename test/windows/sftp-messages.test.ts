import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  handleOf,
  initMessage,
  messageType,
  type Reply,
  ReplyReader,
  requestMessage,
  statusOf,
  writeHead,
} from '../../src/windows/sftp-messages.ts';

/** As a server would send them. A data message is made like a request: type, id, a string. */
const data = (id: number, bytes: Buffer) => requestMessage(messageType.data, id, bytes);
const status = (id: number, code: number, words: string) => requestMessage(messageType.status, id, code, words, '');

/** Reads a stream that comes in the given parts; `sizes` is how much was asked for under each id. */
function read(parts: readonly Uint8Array[], sizes: ReadonlyMap<number, number> = new Map()) {
  const targets = new Map([...sizes].map(([id, size]) => [id, Buffer.alloc(size)]));
  const replies: Reply[] = [];
  const got: [number, string][] = [];
  const reader = new ReplyReader({
    targetOf: (id) => targets.get(id),
    onData: (id, sizeBytes) => got.push([id, targets.get(id)?.subarray(0, sizeBytes).toString('hex') ?? '']),
    onReply: (reply) => replies.push({ ...reply, body: Buffer.from(reply.body) }),
  });
  for (const part of parts) reader.push(part);
  return { replies, got };
}

describe('SFTP requests', () => {
  it('are as the draft lays them out', () => {
    assert.equal(initMessage().toString('hex'), '000000050100000003');
    assert.equal(
      requestMessage(messageType.read, 7, Buffer.from('h'), 0x1_0000_0002n, 3).toString('hex'),
      '00000016 05 00000007 00000001 68 0000000100000002 00000003'.replaceAll(' ', ''),
    );
  });

  it('may have their data beside them', () => {
    const [handle, bytes] = [Buffer.from('handle'), Buffer.from('some data')];
    assert.equal(
      Buffer.concat([writeHead(9, handle, 42, bytes.length), bytes]).toString('hex'),
      requestMessage(messageType.write, 9, handle, 42n, bytes).toString('hex'),
    );
  });
});

describe('SFTP answers', () => {
  it('come out the same however their stream is cut', () => {
    const message = fc.oneof(
      fc.record({ kind: fc.constant('data'), bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }) }),
      fc.record({ kind: fc.constant('status'), code: fc.nat(8), words: fc.string({ maxLength: 40 }) }),
    );
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 8 }), fc.array(fc.nat(400)), (messages, cuts) => {
        const stream = Buffer.concat(
          messages.map((one, id) =>
            'bytes' in one ? data(id, Buffer.from(one.bytes)) : status(id, one.code, one.words),
          ),
        );
        const ends = [...new Set([0, ...cuts.map((at) => at % stream.length), stream.length])].sort((a, b) => a - b);
        const parts = ends.slice(1).map((end, i) => stream.subarray(ends[i], end));
        const { replies, got } = read(parts, new Map(messages.map((_, id) => [id, 300])));
        const bytes = messages.flatMap((one, id) =>
          'bytes' in one ? [[id, Buffer.from(one.bytes).toString('hex')]] : [],
        );
        const words = messages.flatMap((one) => ('code' in one ? [{ code: one.code, message: one.words }] : []));
        assert.deepEqual(got, bytes);
        assert.deepEqual(replies.map(statusOf), words);
      }),
    );
  });

  it('tell a handle, and a status without words', () => {
    const { replies } = read([
      requestMessage(messageType.handle, 1, Buffer.from([0, 1, 255])),
      requestMessage(messageType.status, 2, 4),
    ]);
    assert.deepEqual(
      replies.map(({ id }) => id),
      [1, 2],
    );
    assert.deepEqual([...handleOf(replies[0] as Reply)], [0, 1, 255]);
    assert.deepEqual(statusOf(replies[1] as Reply), { code: 4, message: '' });
  });

  it('that make no sense are refused', () => {
    const refused = (bytes: Buffer, sizes?: ReadonlyMap<number, number>) =>
      assert.throws(() => read([bytes], sizes), RangeError);
    refused(Buffer.from('Welcome to this server\r\n'));
    refused(Buffer.from([0, 0, 0, 1, messageType.status]));
    refused(data(1, Buffer.from('nobody asked')));
    refused(data(1, Buffer.from('too long')), new Map([[1, 3]]));
    refused(data(1, Buffer.alloc(0)), new Map([[1, 3]]));
    const lying = data(1, Buffer.from('abc'));
    lying.writeUInt32BE(100, 0);
    refused(lying, new Map([[1, 3]]));
    const cut = requestMessage(messageType.handle, 1, 1_000);
    assert.throws(() => handleOf(read([cut]).replies[0] as Reply), RangeError);
  });
});
