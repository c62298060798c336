import { Writable } from 'node:stream';
import * as v from 'valibot';
import { LineSplitter } from '../core/lines.ts';

/** Stands before each record (RFC 7464, section 2.2), so that other text on the same stream can be told apart. */
const separator = '\x1e';

const streamOf = v.picklist(['error', 'warning', 'verbose', 'debug', 'information']);

/** One object of a PowerShell pipeline, or one message of another stream, as objects.ps1 writes them. */
export const objectRecordSchema = v.variant('stream', [
  v.looseObject({ stream: v.literal('output'), type: v.nullable(v.string()), value: v.unknown() }),
  v.looseObject({ stream: streamOf, type: v.nullable(v.string()), message: v.string() }),
]);

export type ObjectRecord = v.InferOutput<typeof objectRecordSchema>;

/** Takes a record; the next one waits until it is done. */
export type TakeRecord = (record: ObjectRecord) => Promise<void>;

/** Cuts a stream of a run into records. A line that is none becomes one: text that was written past the pipeline. */
export class ObjectRecords extends Writable {
  readonly #splitter = new LineSplitter();
  readonly #stream: 'output' | 'error';
  readonly #head: string;
  readonly #take: TakeRecord;

  /**
   * @param stream what lines that are no records are: `output`, or `error` on standard error
   * @param mark what the run was told to begin its records with
   */
  constructor(stream: 'output' | 'error', mark: string, take: TakeRecord) {
    super({ decodeStrings: true });
    this.#head = `${separator}${mark} `;
    this.#stream = stream;
    this.#take = take;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#takeAll(this.#splitter.push(chunk)).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    const rest = this.#splitter.end();
    this.#takeAll(rest === '' ? [] : [rest]).then(() => done(), done);
  }

  async #takeAll(lines: readonly string[]): Promise<void> {
    for (const line of lines) for (const record of this.#parse(line)) await this.#take(record);
  }

  #parse(line: string): ObjectRecord[] {
    const start = line.indexOf(this.#head);
    if (start === -1) return this.#plain(line);
    const record = parseRecord(line.slice(start + this.#head.length));
    return record === undefined ? this.#plain(line) : [...this.#plain(line.slice(0, start)), record];
  }

  #plain(line: string): ObjectRecord[] {
    if (line === '') return [];
    if (this.#stream === 'output') return [{ stream: 'output', type: 'System.String', value: line }];
    return [{ stream: 'error', type: null, message: line }];
  }
}

function parseRecord(json: string): ObjectRecord | undefined {
  try {
    const parsed = v.safeParse(objectRecordSchema, JSON.parse(json));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

const defaultLimitBytes = 8 * 1024 * 1024;

/** Keeps the first records, up to so many bytes of JSON. */
export class RecordCollector {
  readonly records: ObjectRecord[] = [];
  readonly #limitBytes: number;
  #sizeBytes = 0;
  #isTruncated = false;

  constructor(limitBytes = defaultLimitBytes) {
    this.#limitBytes = limitBytes;
  }

  /** Whether records were left out. */
  get isTruncated(): boolean {
    return this.#isTruncated;
  }

  add(record: ObjectRecord): void {
    this.#sizeBytes += Buffer.byteLength(JSON.stringify(record)) + 1;
    if (this.#sizeBytes > this.#limitBytes) this.#isTruncated = true;
    if (!this.#isTruncated) this.records.push(record);
  }
}
