import { randomUUID } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a secret for its owner's eyes only: to a temporary file, fsynced, renamed. */
export async function writeSecretFile(path: string, secret: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomUUID()}.tmp`;
  {
    await using file = await open(temporary, 'wx', 0o600);
    await file.writeFile(`${secret}\n`);
    await file.sync();
  }
  await rename(temporary, path);
}
