/**
 * The messages of SFTP version 3 (draft-ietf-secsh-filexfer-02) that move the bytes of a file. Everything else about files
 * is done by ssh2's own SFTP session.
 */
export const messageType = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  status: 101,
  handle: 102,
  data: 103,
} as const;

/** SSH_FX_OK and SSH_FX_EOF (section 7 of the draft). */
export const statusCode = { ok: 0, endOfFile: 1 } as const;

/** SSH_FXF_READ, and SSH_FXF_WRITE | SSH_FXF_CREAT | SSH_FXF_TRUNC (section 6.3). */
export const openFlags = { read: 0x01, replace: 0x1a } as const;

const lengthBytes = 4;
const headBytes = lengthBytes + 1;
const dataHeadBytes = headBytes + 4 + 4;
/** Statuses, handles and versions are small; whoever announces more does not speak SFTP. */
const maxReplyBytes = 64 * 1024;

/** One answer that is not data. A version has no id. */
export interface Reply {
  readonly type: number;
  readonly id: number | undefined;
  /** What follows type and id. */
  readonly body: Buffer;
}

/** Who gets what a server answers. */
export interface ReplyReceiver {
  /** Where the bytes of this read go; undefined if none is under way under that id. */
  targetOf(id: number): Buffer | undefined;
  /** All bytes of this read are in its target. */
  onData(id: number, sizeBytes: number): void;
  onReply(reply: Reply): void;
}

/** The first message of a session, which has no id. */
export const initMessage = (): Buffer => Buffer.from([0, 0, 0, 5, messageType.init, 0, 0, 0, 3]);

/** A request; numbers go as uint32, bigints as uint64, texts and bytes as strings with their length. */
export function requestMessage(
  type: number,
  id: number,
  ...fields: readonly (number | bigint | string | Buffer)[]
): Buffer {
  const parts = [type, ...[id, ...fields].map(fieldBytes)].map((part) =>
    typeof part === 'number' ? Buffer.from([part]) : part,
  );
  const body = Buffer.concat(parts);
  return Buffer.concat([fieldBytes(body.length), body]);
}

function fieldBytes(field: number | bigint | string | Buffer): Buffer {
  if (typeof field === 'number') {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(field);
    return bytes;
  }
  if (typeof field === 'bigint') {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(field);
    return bytes;
  }
  const text = Buffer.from(field);
  return Buffer.concat([fieldBytes(text.length), text]);
}

/** What stands before the data of a write request. @param sizeBytes of the data, which follows by itself */
export function writeHead(id: number, handle: Buffer, offset: number, sizeBytes: number): Buffer {
  const head = requestMessage(messageType.write, id, handle, BigInt(offset), sizeBytes);
  head.writeUInt32BE(head.length - lengthBytes + sizeBytes, 0);
  return head;
}

/** The number and the words of a status. @throws RangeError if it is cut short */
export function statusOf({ body }: Reply): { code: number; message: string } {
  const code = body.readUInt32BE(0);
  return { code, message: body.length < 8 ? '' : stringAt(body, 4).toString('utf8') };
}

/** The handle that an open gave. @throws RangeError if it is cut short */
export const handleOf = ({ body }: Reply): Buffer => Buffer.from(stringAt(body, 0));

function stringAt(body: Buffer, start: number): Buffer {
  const end = start + 4 + body.readUInt32BE(start);
  if (end > body.length) throw new RangeError('a string goes past the end of its message');
  return body.subarray(start + 4, end);
}

/** Something that comes in parts. */
interface Filling {
  readonly bytes: Buffer;
  filled: number;
}

/** Takes a server's messages apart, however they are cut; the bytes of a file go straight to where they belong. */
export class ReplyReader {
  readonly #receiver: ReplyReceiver;
  readonly #head = { bytes: Buffer.alloc(dataHeadBytes), filled: 0 };
  #reply: Filling | undefined;
  #data: (Filling & { readonly id: number }) | undefined;

  constructor(receiver: ReplyReceiver) {
    this.#receiver = receiver;
  }

  /** @throws RangeError if this can't be SFTP, or answers what nobody asked */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) at += this.#take(at === 0 ? chunk : chunk.subarray(at));
  }

  /** Uses what it can of some bytes, and tells how many. */
  #take(bytes: Uint8Array): number {
    if (this.#data !== undefined) return this.#takeData(this.#data, bytes);
    if (this.#reply !== undefined) return this.#takeReply(this.#reply, bytes);
    const wanted = this.#head.filled < headBytes ? headBytes : dataHeadBytes;
    const used = fill(this.#head, bytes, wanted);
    if (this.#head.filled === dataHeadBytes) this.#beginData();
    else if (this.#head.filled === headBytes && this.#type !== messageType.data) this.#beginReply();
    return used;
  }

  get #type(): number {
    return this.#head.bytes.readUInt8(lengthBytes);
  }

  #beginReply(): void {
    this.#head.filled = 0;
    const sizeBytes = this.#head.bytes.readUInt32BE(0);
    if (sizeBytes < 5 || sizeBytes > maxReplyBytes) throw new RangeError(`a message of ${sizeBytes} bytes`);
    this.#reply = { bytes: Buffer.alloc(sizeBytes - 1), filled: 0 };
  }

  #beginData(): void {
    this.#head.filled = 0;
    const { bytes } = this.#head;
    const [length, id, sizeBytes] = [bytes.readUInt32BE(0), bytes.readUInt32BE(headBytes), bytes.readUInt32BE(9)];
    const target = this.#receiver.targetOf(id);
    if (target === undefined) throw new RangeError('data that nobody asked for');
    if (sizeBytes === 0 || sizeBytes > target.length || length !== sizeBytes + dataHeadBytes - lengthBytes)
      throw new RangeError(`${sizeBytes} bytes where at most ${target.length} were asked for`);
    this.#data = { id, bytes: target.subarray(0, sizeBytes), filled: 0 };
  }

  #takeReply(reply: Filling, bytes: Uint8Array): number {
    const used = fill(reply, bytes);
    if (reply.filled < reply.bytes.length) return used;
    this.#reply = undefined;
    const type = this.#type;
    const isVersion = type === messageType.version;
    const id = isVersion ? undefined : reply.bytes.readUInt32BE(0);
    this.#receiver.onReply({ type, id, body: isVersion ? reply.bytes : reply.bytes.subarray(4) });
    return used;
  }

  #takeData(data: Filling & { readonly id: number }, bytes: Uint8Array): number {
    const used = fill(data, bytes);
    if (data.filled < data.bytes.length) return used;
    this.#data = undefined;
    this.#receiver.onData(data.id, data.bytes.length);
    return used;
  }
}

/** Copies as much as there is room for, and tells how much that was. */
function fill(target: Filling, bytes: Uint8Array, wanted = target.bytes.length): number {
  const used = Math.min(wanted - target.filled, bytes.length);
  target.bytes.set(used === bytes.length ? bytes : bytes.subarray(0, used), target.filled);
  target.filled += used;
  return used;
}
