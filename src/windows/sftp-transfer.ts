import { type FileHandle, open } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import { AutomationError, messageOf } from '../core/errors.ts';
import {
  handleOf,
  initMessage,
  messageType,
  openFlags,
  type Reply,
  ReplyReader,
  requestMessage,
  statusCode,
  statusOf,
  writeHead,
} from './sftp-messages.ts';

/** Pieces of a file under way at once, each in one message. More gain nothing against OpenSSH and take memory. */
const slots = 24;
/** A download goes to the disk while it comes in, or all of it would have to be waited for at the end. */
const flushEveryBytes = 16 * 1024 * 1024;

/** Told the bytes that have gone over so far. */
export type OnProgress = (transferredBytes: number) => void;

/** The server's own refusal. */
export class SftpStatusError extends Error {
  /** SSH_FX_… (draft-ietf-secsh-filexfer-02, section 7). */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message || `status ${code}`);
    this.code = code;
  }
}

interface Pending {
  readonly target: Buffer | undefined;
  readonly resolve: (answer: Reply | number) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A channel of its own for the bytes of files. ssh2's SFTP session copies each byte into messages whose memory is asked for
 * anew each time, which made it 1.3 to 1.7 times slower than scp. Here the bytes of a file go from the memory that they were
 * read into straight to the packets, and back.
 */
export class SftpTransfer {
  readonly #channel: Duplex;
  readonly #chunkBytes: number;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #endedBy: unknown;

  /**
   * @param channel of the `sftp` subsystem
   * @param chunkBytes most data in one message
   * @param lost the error that says that the channel has gone
   */
  constructor(channel: Duplex, chunkBytes: number, lost: () => Error) {
    this.#channel = channel;
    this.#chunkBytes = chunkBytes;
    const reader = new ReplyReader({
      targetOf: (id) => this.#pending.get(id)?.target,
      onData: (id, sizeBytes) => this.#answer(id, sizeBytes),
      onReply: (reply) => this.#answer(reply.id ?? 0, reply),
    });
    channel.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        this.#end(notSftp(messageOf(error)));
      }
    });
    channel.on('error', (error) => this.#end(error));
    channel.on('close', () => this.#end(lost()));
  }

  /** Says hello. Nothing else may be asked before. @throws AutomationError `remote_unexpected` */
  async begin(): Promise<void> {
    const reply = await this.#send(0, [initMessage()]);
    if (typeof reply === 'number' || reply.type !== messageType.version) throw notSftp('no version was told');
  }

  /** False once the channel has ended. */
  get isOpen(): boolean {
    return this.#endedBy === undefined;
  }

  /** Uploads one file as it is. An abort ends the channel. @throws SftpStatusError, Error of the local file */
  async upload(local: string, remote: string, signal: AbortSignal, onProgress?: OnProgress): Promise<void> {
    await using file = await open(local);
    const { size } = await file.stat();
    await this.#withHandle(remote, openFlags.replace, signal, (handle) =>
      this.#inPieces(size, onProgress, async (bytes, offset) => {
        await readFully(file, bytes, offset);
        await this.#write(bytes, handle, offset);
      }),
    );
  }

  /**
   * Downloads one file as it is, or its beginning; all of it is on the disk at the end.
   *
   * @param sizeBytes how much
   * @throws SftpStatusError (end of file if it is shorter than that), Error of the local file
   */
  async download(
    remote: string,
    local: string,
    sizeBytes: number,
    signal: AbortSignal,
    onProgress?: OnProgress,
  ): Promise<void> {
    await this.#withHandle(remote, openFlags.read, signal, async (handle) => {
      await using file = await open(local, 'w');
      let unflushedBytes = 0;
      await this.#inPieces(sizeBytes, onProgress, async (bytes, offset) => {
        await this.#read(bytes, handle, offset);
        await writeFully(file, bytes, offset);
        unflushedBytes += bytes.length;
        if (unflushedBytes < flushEveryBytes) return;
        unflushedBytes = 0;
        await file.datasync();
      });
      await file.sync();
    });
  }

  /** Ends the channel; what is under way fails. */
  close(): void {
    this.#end(new AutomationError('file_failed', 'the SFTP session was closed'));
  }

  async #write(bytes: Buffer, handle: Buffer, offset: number): Promise<void> {
    const id = this.#nextId();
    expectOk(await this.#send(id, [writeHead(id, handle, offset, bytes.length), bytes]));
  }

  /** A server may give less than was asked for (section 6.4 of the draft). */
  async #read(bytes: Buffer, handle: Buffer, offset: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const id = this.#nextId();
      const left = bytes.subarray(done);
      const request = requestMessage(messageType.read, id, handle, BigInt(offset + done), left.length);
      const answer = await this.#send(id, [request], left);
      if (typeof answer !== 'number') throw refusal(answer);
      done += answer;
    }
  }

  async #withHandle(
    path: string,
    flags: number,
    signal: AbortSignal,
    work: (handle: Buffer) => Promise<void>,
  ): Promise<void> {
    signal.throwIfAborted();
    const onAbort = () => this.#end(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const opened = await this.#ask(messageType.open, path, flags, 0);
      if (typeof opened === 'number' || opened.type !== messageType.handle) throw refusal(opened);
      const handle = handleOf(opened);
      try {
        await work(handle);
      } catch (error) {
        // What went wrong first is what counts; the server forgets a handle with its channel.
        await this.#ask(messageType.close, handle).catch(() => undefined);
        throw error;
      }
      // A disk that is full may be told only here.
      expectOk(await this.#ask(messageType.close, handle));
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Goes through a file piece by piece, several at once. After a failure none is begun, and those under way are waited for.
   *
   * @param work gets memory as long as its piece, which is used again for the next one
   */
  async #inPieces(
    sizeBytes: number,
    onProgress: OnProgress | undefined,
    work: (bytes: Buffer, offset: number) => Promise<void>,
  ): Promise<void> {
    const pieceBytes = Math.min(this.#chunkBytes, sizeBytes);
    let [next, done] = [0, 0];
    const oneSlot = async () => {
      const memory = Buffer.allocUnsafe(pieceBytes);
      while (next < sizeBytes) {
        const offset = next;
        const bytes = memory.subarray(0, Math.min(pieceBytes, sizeBytes - offset));
        next += bytes.length;
        try {
          await work(bytes, offset);
        } catch (error) {
          next = sizeBytes;
          throw error;
        }
        done += bytes.length;
        onProgress?.(done);
      }
    };
    const count = Math.min(slots, Math.ceil(sizeBytes / pieceBytes) || 0);
    const ends = await Promise.allSettled(Array.from({ length: count }, oneSlot));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #ask(type: number, ...fields: readonly (number | bigint | string | Buffer)[]): Promise<Reply | number> {
    const id = this.#nextId();
    return this.#send(id, [requestMessage(type, id, ...fields)]);
  }

  #send(id: number, message: readonly Buffer[], target?: Buffer): Promise<Reply | number> {
    return new Promise((resolve, reject) => {
      if (this.#endedBy !== undefined) return reject(this.#endedBy);
      this.#pending.set(id, { target, resolve, reject });
      for (const part of message) this.#channel.write(part);
    });
  }

  #nextId(): number {
    this.#lastId = (this.#lastId % 0xff_ff_ff_ff) + 1;
    return this.#lastId;
  }

  #answer(id: number, answer: Reply | number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) throw new RangeError('an answer that nobody asked for');
    this.#pending.delete(id);
    pending.resolve(answer);
  }

  #end(reason: unknown): void {
    if (this.#endedBy !== undefined) return;
    this.#endedBy = reason;
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
    this.#channel.destroy();
  }
}

function expectOk(answer: Reply | number): void {
  const error = refusal(answer);
  if (!(error instanceof SftpStatusError) || error.code !== statusCode.ok) throw error;
}

/** What an answer says that is not the one that was hoped for. */
function refusal(answer: Reply | number): Error {
  if (typeof answer === 'number' || answer.type !== messageType.status) return notSftp('an answer to another question');
  const { code, message } = statusOf(answer);
  if (code === statusCode.endOfFile) return new SftpStatusError(code, 'the file ended early; did it change meanwhile?');
  return new SftpStatusError(code, message);
}

const notSftp = (reason: string) =>
  new AutomationError('remote_unexpected', `the server's SFTP makes no sense: ${reason}`, {
    hint: "does the host's shell or its profile print anything before sftp-server starts?",
  });

async function readFully(file: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, offset + done);
    if (bytesRead === 0) throw new Error('the file became shorter meanwhile');
    done += bytesRead;
  }
}

async function writeFully(file: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
}
