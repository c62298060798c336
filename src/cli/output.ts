import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { Scalar } from '../core/errors.ts';
import { encodeWords } from '../core/words.ts';

export type Words = Readonly<Record<string, Scalar>>;
export type Color = 'green' | 'yellow' | 'red' | 'dim';

/** Where payloads go: standard output, and nothing else writes there. */
export interface Output {
  readonly isJson: boolean;
  /** Whether a person is looking: a terminal, and not `--json`. */
  readonly isTerminal: boolean;
  readonly stream: Writable;
  /** Colours a text for a person; for anyone else it stays as it is. */
  paint(color: Color, text: string): string;
  /** Text as it is, newline included. */
  text(text: string): Promise<void>;
  /** One payload: a line of `key=value` words, or with `--json` one line of JSON. */
  payload(words: Words, document: unknown): Promise<void>;
  /** Rows in columns, for a person. */
  table(rows: readonly (readonly string[])[]): Promise<void>;
}

/** Makes the output of one invocation. */
export function createOutput(
  stream: Writable & { readonly isTTY?: boolean },
  isJson: boolean,
  env: NodeJS.ProcessEnv,
): Output {
  const isTerminal = stream.isTTY === true && !isJson;
  // https://no-color.org: any value but an empty one.
  const hasColor = isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  const text = (written: string) => write(stream, written);
  return {
    isJson,
    isTerminal,
    stream,
    text,
    paint: (color, painted) => (hasColor ? styleText(color, painted, { validateStream: false }) : painted),
    payload: (words, document) => text(isJson ? `${JSON.stringify(document)}\n` : `${encodeWords(words)}\n`),
    table: (rows) => text(formatTable(rows)),
  };
}

/** Left-aligned columns, two spaces apart. Escape sequences take no width. */
function formatTable(rows: readonly (readonly string[])[]): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour begins with the escape character
  const widthOf = (cell: string) => cell.replace(/\x1b\[\d+m/g, '').length;
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, widthOf(cell));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - widthOf(cell)))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** Resolves when the text has left the process, so that an exit right behind it loses nothing. */
function write(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
