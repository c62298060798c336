import { StringDecoder } from 'node:string_decoder';

/** Cuts UTF-8 into lines as it comes in chunks, wherever they were cut. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  /** The lines that a chunk completes, without their `\n` or `\r\n`. */
  push(chunk: Buffer): string[] {
    // Only what is new is looked through: a line may be a screenshot of many megabytes.
    const lines = this.#decoder.write(chunk).split('\n');
    lines[0] = `${this.#rest}${lines[0]}`;
    this.#rest = lines.pop() ?? '';
    return lines.map(withoutReturn);
  }

  /** What came after the last line's end; empty if nothing did. */
  end(): string {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = '';
    return withoutReturn(rest);
  }
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line);
