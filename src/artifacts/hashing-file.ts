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
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.length;
    if (this.#file.write(chunk)) done();
    else this.#file.once('drain', () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#file.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#file.destroy();
    done(error);
  }

  /** Size and hash of what was written; once, after `finish`. */
  digest(): Digest {
    return { sizeBytes: this.#sizeBytes, sha256: this.#hash.digest('hex') };
  }
}
