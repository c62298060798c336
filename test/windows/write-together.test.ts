import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { writeTogether } from '../../src/windows/write-together.ts';

/** What the far side gets when the parts are written in a few turns, and the socket ended at once. */
async function arrived(turns: readonly (readonly (Uint8Array | string)[])[]): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = new Socket();
  const chunks: Buffer[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    server.once('connection', (peer) => {
      peer.on('data', (chunk: Buffer) => chunks.push(chunk));
      peer.once('end', resolve);
      peer.once('error', reject);
    });
  });
  socket.connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  writeTogether(socket);
  for (const [i, parts] of turns.entries()) {
    for (const part of parts) socket.write(part);
    if (i < turns.length - 1) await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
  await ended;
  server.close();
  return Buffer.concat(chunks);
}

describe('what is written together', () => {
  it('arrives whole and in order, also what is bigger than a batch', async () => {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.string({ maxLength: 20 }),
      fc.integer({ min: 30_000, max: 400_000 }).map((sizeBytes) => new Uint8Array(sizeBytes).fill(sizeBytes % 251)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(part, { maxLength: 8 }), { minLength: 1, maxLength: 4 }), async (turns) => {
        const sent = Buffer.concat(turns.flat().map((one) => Buffer.from(one as Uint8Array)));
        assert.ok((await arrived(turns)).equals(sent));
      }),
      { numRuns: 30 },
    );
  });
});
