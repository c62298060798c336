import { Writable } from 'node:stream';

/** The most that is kept of each stream of a command, unless told otherwise. */
const defaultCaptureBytes = 8 * 1024 * 1024;

/** What a command wrote to one stream. */
export interface CapturedText {
  /** The text, or base64 where the bytes are no text. */
  readonly text: string;
  /** What the bytes were decoded from, such as `utf-8` or `ibm437`; `base64` where they were not. */
  readonly encoding: string;
  /** All that came, whether kept or not. */
  readonly sizeBytes: number;
  readonly isTruncated: boolean;
}

/** A sink that keeps the first bytes and counts the rest. */
export class Capture extends Writable {
  readonly #limitBytes: number;
  readonly #chunks: Buffer[] = [];
  #keptBytes = 0;
  #sizeBytes = 0;

  constructor(limitBytes = defaultCaptureBytes) {
    super({ decodeStrings: true });
    this.#limitBytes = limitBytes;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#sizeBytes += chunk.length;
    const kept = chunk.subarray(0, this.#limitBytes - this.#keptBytes);
    if (kept.length > 0) this.#chunks.push(kept);
    this.#keptBytes += kept.length;
    done();
  }

  /** The bytes that were kept so far. */
  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** What was kept so far, as UTF-8; base64 where it is not UTF-8 or has a NUL in it. */
  read(): CapturedText {
    const bytes = this.bytes();
    const isTruncated = this.#sizeBytes > this.#keptBytes;
    return { ...decode(isTruncated ? withoutSplitCharacter(bytes) : bytes), sizeBytes: this.#sizeBytes, isTruncated };
  }
}

function decode(bytes: Buffer): Pick<CapturedText, 'text' | 'encoding'> {
  if (bytes.includes(0)) return { text: bytes.toString('base64'), encoding: 'base64' };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), encoding: 'utf-8' };
  } catch {
    return { text: bytes.toString('base64'), encoding: 'base64' };
  }
}

/** Drops a UTF-8 character whose end was cut off, so that a cut alone makes no text binary. */
function withoutSplitCharacter(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}
