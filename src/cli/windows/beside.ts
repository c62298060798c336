import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { AutomationError, messageOf } from '../../core/errors.ts';
import { maxBesideBytes } from '../../jobs/types/windows-script.ts';
import { type BesideScript, besideFolder, withContent } from '../../windows/run-folder.ts';

/** The files of the folders that `--with` names. @throws AutomationError `usage` where one is no folder */
export async function foldersBeside(dirs: readonly string[]): Promise<BesideScript[]> {
  const found = await Promise.all(
    dirs.map(async (dir) => {
      const facts = await stat(dir).catch((error: unknown) => {
        throw new AutomationError('usage', `--with ${dir}: ${messageOf(error)}`);
      });
      if (!facts.isDirectory()) throw new AutomationError('usage', `--with ${dir}: it is no folder`);
      return besideFolder(resolve(dir), basename(resolve(dir)));
    }),
  );
  return found.flat();
}

/** The same as a job's input carries them. @throws AutomationError `usage` over 1 MiB in all */
export async function packBeside(
  files: readonly BesideScript[],
): Promise<{ path: string; base64: string }[] | undefined> {
  if (files.length === 0) return undefined;
  const loaded = await withContent(files);
  const sizeBytes = loaded.reduce((sum, { content }) => sum + content.length, 0);
  if (sizeBytes > maxBesideBytes) {
    throw new AutomationError('usage', `--with: ${sizeBytes} bytes are too many for a job's input, which takes 1 MiB`, {
      hint: 'bring large files to the host by windows put first',
    });
  }
  return loaded.map(({ path, content }) => ({ path, base64: content.toString('base64') }));
}
