import { crc32, deflateSync } from 'node:zlib';

const width = 320;
const height = 180;

/** A picture of the simulated desktop: a blue screen with a taskbar, as a real PNG (W3C PNG, sections 5 and 11). */
export function desktopPng(): { bytes: Buffer; width: number; height: number } {
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y += 1) {
    const color = y >= height - 14 ? [30, 30, 36] : [0, 90 + Math.floor(y / 3), 200];
    const start = y * (1 + width * 3) + 1;
    for (let x = 0; x < width; x += 1) rows.set(color, start + x * 3);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits a channel, RGB.
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))];
  return { bytes: Buffer.concat(parts), width, height };
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(content.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
