import { createHash, type Hash } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { Writable } from 'node:stream';
import type { Digest } from '../core/digest.ts';

/** A sink that writes a file and hashes it in one go, with the file's own back-pressure. */
export class HashingFile extends Writable {
  readonly #file: WriteStream;
  readonly #hash: Hash = createHash('sha256');
  #sizeBytes = 0;

  /** @param path is made anew, readable by its owner only */
  constructor(path: string) {
    super({ decodeStrings: true });
    this.#file = createWriteStream(path, { mode: 0o600, flush: true });
    this.#file.on('error', (error) => this.destroy(error));
    // Whoever writes gets the error by the callback; whoever does not write any more needs none.
    this.on('error', () => undefined);
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    // Only what is on its way to the disk counts; a disk that is full never drains.
    this.#file.write(chunk, (error) => {
      if (error) return done(error);
      this.#hash.update(chunk);
      this.#sizeBytes += chunk.length;
      done();
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#file.end((error?: Error | null) => done(error));
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#file.destroy();
    done(error);
  }

  /** Closes the file, if nobody did before. @returns false where all of it could not be written */
  close(): Promise<boolean> {
    if (this.writableFinished || this.destroyed) return Promise.resolve(this.errored === null);
    return new Promise((resolve) => {
      this.once('close', () => resolve(this.errored === null));
      this.end();
    });
  }

  /** Size and hash of what was written; once, after `close`. */
  digest(): Digest {
    return { sizeBytes: this.#sizeBytes, sha256: this.#hash.digest('hex') };
  }
}
