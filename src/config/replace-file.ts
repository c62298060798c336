import { closeSync, fsync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const sync = promisify(fsync);

/**
 * Writes a file for its owner's eyes only, so that a kill at any moment leaves the old one or the new one: to a temporary
 * file beside it, fsynced, renamed. Its folder is made, for its owner only, where there is none.
 *
 * Only the disk is waited for on another thread: the other steps are done sooner than another thread could be asked to.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.tmp`;
  // What a kill left there goes, and with it whatever mode it had.
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeFileSync(file, text);
    await sync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}
