import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AutomationError, messageOf } from '../core/errors.ts';

export interface LocalTree {
  /** `below` is the path from the folder on, with forward slashes. */
  readonly files: readonly { readonly path: string; readonly below: string; readonly sizeBytes: number }[];
  /** Those above others first; their paths from the folder on. */
  readonly folders: readonly string[];
}

/**
 * What is in a folder of this machine, at any depth. Symbolic links are followed, as by scp: what they lead to is what is there.
 *
 * @throws AutomationError `usage` where a link leads nowhere or round in a circle, or something can't be read
 */
export async function localTree(dir: string): Promise<LocalTree> {
  const files: { path: string; below: string; sizeBytes: number }[] = [];
  const folders: string[] = [];
  const refuse = (path: string, reason: string) => new AutomationError('usage', `${path}: ${reason}`);
  const walk = async (folder: string, below: string, above: readonly string[]): Promise<void> => {
    const real = await realpath(folder);
    if (above.includes(real)) throw refuse(folder, 'it is a link to a folder that it is in');
    for (const name of (await readdir(folder)).sort()) {
      const path = join(folder, name);
      const facts = await stat(path).catch((error: unknown) => {
        throw refuse(path, messageOf(error));
      });
      const here = below === '' ? name : `${below}/${name}`;
      if (facts.isFile()) files.push({ path, below: here, sizeBytes: facts.size });
      if (!facts.isDirectory()) continue;
      folders.push(here);
      await walk(path, here, [...above, real]);
    }
  };
  await walk(dir, '', []);
  return { files, folders };
}
