import type { Socket } from 'node:net';

/** Room for a message of 256 KiB with what its packets add. */
const batchBytes = 288 * 1024;

/**
 * Sends what is written to a socket in one turn of the event loop as one. ssh2 writes each packet in three parts, and a
 * message in many packets; each part would cost a system call here, and a wake-up there.
 *
 * @param socket that is connected: connecting puts the socket's own `write` back
 */
export function writeTogether(socket: Socket): void {
  const write = socket.write.bind(socket);
  // Memory that was sent is used again: new memory costs more than the copy does.
  const spare: Buffer[] = [];
  let batch: Buffer | undefined;
  let filled = 0;
  const flush = () => {
    const full = batch;
    if (full === undefined) return;
    batch = undefined;
    write(full.subarray(0, filled), () => spare.push(full));
    filled = 0;
  };
  const add = (part: Uint8Array) => {
    if (filled + part.length > batchBytes) flush();
    if (part.length > batchBytes) return write(part);
    if (batch === undefined) {
      batch = spare.pop() ?? Buffer.allocUnsafeSlow(batchBytes);
      queueMicrotask(flush);
    }
    batch.set(part, filled);
    filled += part.length;
    return true;
  };
  socket.write = (part: Uint8Array | string): boolean => add(typeof part === 'string' ? Buffer.from(part) : part);
  const end = socket.end.bind(socket);
  socket.end = () => {
    flush();
    return end();
  };
}
