import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { after, describe, it } from 'node:test';
import { AutomationError } from '../../src/core/errors.ts';
import { messageType, requestMessage } from '../../src/windows/sftp-messages.ts';
import { SftpStatusError, SftpTransfer } from '../../src/windows/sftp-transfer.ts';

const chunkBytes = 1_000;

/** What a server may do that OpenSSH doesn't do on demand. */
interface Faults {
  readonly greeting?: string;
  /** Gives at most so much of what was asked for. */
  readonly mostReadBytes?: number;
  /** Refuses to write from here on, as a full disk does. */
  readonly refuseWriteFrom?: number;
  readonly refuseClose?: boolean;
  /** Ends the channel after so many requests. */
  readonly endAfter?: number;
  /** Answers nothing after so many requests. */
  readonly muteAfter?: number;
}

/** One end of a channel on whose other end a file is served. */
function serve(file: { bytes: Buffer }, faults: Faults = {}): Duplex {
  let pending: Buffer = Buffer.alloc(0);
  let requests = 0;
  const channel = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
        const end = 4 + pending.readUInt32BE(0);
        answer(pending.subarray(4, end));
        pending = pending.subarray(end);
      }
      done();
    },
  });
  const send = (message: Buffer) => setImmediate(() => channel.push(message));
  const status = (id: number, code: number, words = '') =>
    send(requestMessage(messageType.status, id, code, words, ''));
  const answer = (message: Buffer): unknown => {
    requests += 1;
    if (requests > (faults.muteAfter ?? Number.POSITIVE_INFINITY)) return undefined;
    if (requests > (faults.endAfter ?? Number.POSITIVE_INFINITY)) return channel.destroy();
    const type = message.readUInt8(0);
    if (type === messageType.init) return send(Buffer.from(faults.greeting ?? '\0\0\0\x05\x02\0\0\0\x03', 'latin1'));
    const id = message.readUInt32BE(1);
    if (type === messageType.open) return send(requestMessage(messageType.handle, id, Buffer.from('h')));
    if (type === messageType.close) return status(id, faults.refuseClose === true ? 4 : 0, 'Failure');
    const offset = Number(message.readBigUInt64BE(10));
    const sizeBytes = message.readUInt32BE(18);
    if (type === messageType.read) {
      if (offset >= file.bytes.length) return status(id, 1, 'End of file');
      const end = offset + Math.min(sizeBytes, faults.mostReadBytes ?? sizeBytes);
      return send(requestMessage(messageType.data, id, Buffer.from(file.bytes.subarray(offset, end))));
    }
    if (offset >= (faults.refuseWriteFrom ?? Number.POSITIVE_INFINITY)) return status(id, 4, 'Failure');
    const bytes = Buffer.from(message.subarray(22));
    if (file.bytes.length < offset + bytes.length)
      file.bytes = Buffer.concat([file.bytes, Buffer.alloc(offset + bytes.length - file.bytes.length)]);
    bytes.copy(file.bytes, offset);
    return status(id, 0, 'Success');
  };
  return channel;
}

describe('a transfer over SFTP', () => {
  const dir = mkdtempSync(join(tmpdir(), 'wa-sftp-'));
  after(() => rmSync(dir, { recursive: true, force: true }));
  const [from, to] = [join(dir, 'from'), join(dir, 'to')];
  const soon = () => AbortSignal.timeout(10_000);
  const lost = () => new AutomationError('ssh_connection_lost', 'lost');

  async function begin(bytes: Buffer, faults?: Faults) {
    const file = { bytes };
    const transfer = new SftpTransfer(serve(file, faults), chunkBytes, lost);
    await transfer.begin();
    return { file, transfer };
  }

  it('brings every byte over and back, whatever the size', async () => {
    for (const sizeBytes of [0, 1, chunkBytes, chunkBytes + 1, 40 * chunkBytes + 7]) {
      const bytes = randomBytes(sizeBytes);
      writeFileSync(from, bytes);
      const { file, transfer } = await begin(Buffer.alloc(0));
      const steps: number[] = [];
      await transfer.upload(from, '/file', soon(), (done) => steps.push(done));
      assert.ok(file.bytes.equals(bytes), `${sizeBytes} bytes up`);
      assert.equal(steps.at(-1) ?? 0, sizeBytes);
      await transfer.download('/file', to, sizeBytes, soon());
      assert.ok(readFileSync(to).equals(bytes), `${sizeBytes} bytes down`);
      transfer.close();
    }
  });

  it('asks again where a server gives less than it was asked for', async () => {
    const bytes = randomBytes(5 * chunkBytes);
    const { transfer } = await begin(bytes, { mostReadBytes: 300 });
    await transfer.download('/file', to, bytes.length, soon());
    assert.ok(readFileSync(to).equals(bytes));
  });

  it('tells a file that is shorter than it was', async () => {
    const { transfer } = await begin(randomBytes(1_500));
    await assert.rejects(transfer.download('/file', to, 3_000, soon()), /ended early; did it change meanwhile/);
    assert.ok(transfer.isOpen, 'the channel is as good as before');
  });

  it('tells what the server refused, be it only at the end', async () => {
    writeFileSync(from, randomBytes(40 * chunkBytes));
    for (const faults of [{ refuseWriteFrom: 30 * chunkBytes }, { refuseClose: true }]) {
      const { transfer } = await begin(Buffer.alloc(0), faults);
      const isFailure = (error: unknown) => error instanceof SftpStatusError && error.code === 4;
      await assert.rejects(transfer.upload(from, '/file', soon()), isFailure);
    }
  });

  it('tells a greeting from SFTP', async () => {
    await assert.rejects(begin(Buffer.alloc(0), { greeting: 'Welcome to this server\r\n' }), {
      code: 'remote_unexpected',
      message: /makes no sense/,
    });
  });

  it('fails when its channel ends, and for everything that is asked later', async () => {
    const { transfer } = await begin(randomBytes(40 * chunkBytes), { endAfter: 12 });
    await assert.rejects(transfer.download('/file', to, 40 * chunkBytes, soon()), { code: 'ssh_connection_lost' });
    assert.equal(transfer.isOpen, false);
    await assert.rejects(transfer.upload(from, '/file', soon()), { code: 'ssh_connection_lost' });
  });

  it('ends at once on an abort, though the server answers nothing', async () => {
    for (const muteAfter of [1, 12]) {
      const { transfer } = await begin(randomBytes(40 * chunkBytes), { muteAfter });
      const abort = new AbortController();
      const work = transfer.download('/file', to, 40 * chunkBytes, abort.signal);
      setTimeout(() => abort.abort(new Error('enough')), 20);
      await assert.rejects(work, /enough/);
    }
  });
});
