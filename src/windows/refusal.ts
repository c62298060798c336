import { Writable } from 'node:stream';
import * as v from 'valibot';

const firstByte = 0x01;
/** Longer than any refusal: what has not ended by then is the command's own output. */
const maxBytes = 1024 * 1024;
const problemsSchema = v.pipe(v.array(v.string()), v.minLength(1));

/**
 * Standard error on its way to a sink, without the one line by which a run of ours says that it was refused before anything of
 * the user's ran (environment.ps1). Only the very first bytes are looked at.
 */
export class RefusalFilter extends Writable {
  readonly #sink: Writable;
  readonly #head: Buffer;
  #held: Buffer | undefined = Buffer.alloc(0);
  #problems: readonly string[] | undefined;

  /** @param refusal the word that a refusal begins with, as the run was told */
  constructor(sink: Writable, refusal: string) {
    super({ decodeStrings: true });
    this.#sink = sink;
    this.#head = Buffer.from(`${String.fromCharCode(firstByte)}${refusal} `, 'latin1');
  }

  /** Why the run was refused; undefined if it was not. */
  get problems(): readonly string[] | undefined {
    return this.#problems;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    const bytes = this.#held === undefined ? chunk : this.#examine(Buffer.concat([this.#held, chunk]));
    if (bytes.length === 0) done();
    else this.#sink.write(bytes, done);
  }

  /** @returns what is to be handed on now of what has come so far */
  #examine(bytes: Buffer): Buffer {
    const compared = Math.min(bytes.length, this.#head.length);
    const isHead = bytes.subarray(0, compared).equals(this.#head.subarray(0, compared));
    const end = bytes.indexOf('\n');
    if (isHead && end === -1 && bytes.length <= maxBytes) {
      this.#held = bytes;
      return Buffer.alloc(0);
    }
    this.#held = undefined;
    if (isHead && end !== -1) this.#problems = parseProblems(bytes.subarray(this.#head.length, end));
    return this.#problems === undefined ? bytes : bytes.subarray(end + 1);
  }

  /** Hands on what was held back, for a command that wrote no more than that. */
  async flush(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined || held.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.#sink.write(held, (error) => (error ? reject(error) : resolve()));
    });
  }
}

function parseProblems(base64: Buffer): readonly string[] | undefined {
  try {
    const parsed = v.safeParse(
      problemsSchema,
      JSON.parse(Buffer.from(base64.toString('latin1'), 'base64').toString('utf8')),
    );
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
