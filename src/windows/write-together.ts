import type { Socket } from 'node:net';

/** A message of 256 KiB with what its packets add. */
const batchBytes = 288 * 1024;
/** From here on new memory costs more than the copy does. */
const bigBytes = 16 * 1024;

/**
 * Sends what is written to a socket in one turn of the event loop as one. ssh2 writes each packet in three parts, and a
 * message in many packets; each part would cost a system call here, and a wake-up there.
 *
 * @param socket that is connected: connecting puts the socket's own `write` back
 */
export function writeTogether(socket: Socket): void {
  const write = socket.write.bind(socket);
  /** Memory of batches that were sent, for the next ones. */
  const spare: Buffer[] = [];
  let parts: Uint8Array[] = [];
  let sizeBytes = 0;
  const flush = () => {
    if (parts.length === 0) return;
    const batch = parts;
    const batchSizeBytes = sizeBytes;
    parts = [];
    sizeBytes = 0;
    if (batchSizeBytes < bigBytes || batchSizeBytes > batchBytes) {
      write(Buffer.concat(batch, batchSizeBytes));
      return;
    }
    const memory = spare.pop() ?? Buffer.allocUnsafeSlow(batchBytes);
    let filled = 0;
    for (const part of batch) {
      memory.set(part, filled);
      filled += part.length;
    }
    write(memory.subarray(0, filled), () => spare.push(memory));
  };
  socket.write = (written: Uint8Array | string): boolean => {
    const part = typeof written === 'string' ? Buffer.from(written) : written;
    if (sizeBytes + part.length > batchBytes) flush();
    if (parts.length === 0) queueMicrotask(flush);
    parts.push(part);
    sizeBytes += part.length;
    return true;
  };
  const end = socket.end.bind(socket);
  socket.end = () => {
    flush();
    return end();
  };
}
