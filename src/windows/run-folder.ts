import { readFile } from 'node:fs/promises';
import { messageOf } from '../core/errors.ts';
import type { WindowsHost } from './host.ts';
import { localTree } from './local-tree.ts';
import { joinRemote } from './paths.ts';

const removeTimeoutMs = 3_000;

/** A file that is brought beside a script. */
export interface BesideScript {
  /** Relative to the script's folder, with forward slashes. */
  readonly path: string;
  /** The content, or the file on this machine that has it. */
  readonly content: Buffer | { readonly file: string };
}

/**
 * Brings files to the folder of a run, which is made for them.
 *
 * @param folder relative to the home folder, where SFTP and commands both begin: no drive, no spaces
 * @throws AutomationError `file_failed`, and what `connect` throws
 */
export async function bringBeside(
  host: WindowsHost,
  folder: string,
  files: readonly BesideScript[],
  signal: AbortSignal,
): Promise<void> {
  if (files.length === 0) return;
  const sftp = await host.sftp(signal);
  for (const { path, content } of files) {
    const remote = joinRemote(folder, path);
    await sftp.makeDir(remote.slice(0, remote.lastIndexOf('/')));
    if (Buffer.isBuffer(content)) await sftp.writeFile(remote, content);
    else await sftp.upload(content.file, remote);
  }
}

/** The files of a folder of this machine, as they stand beside a script: below the folder's own name. */
export async function besideFolder(dir: string, name: string): Promise<BesideScript[]> {
  const { files } = await localTree(dir);
  return files.map(({ path, below }) => ({ path: `${name}/${below}`, content: { file: path } }));
}

/** The same with their content in memory. */
export async function withContent(files: readonly BesideScript[]): Promise<{ path: string; content: Buffer }[]> {
  return Promise.all(
    files.map(async ({ path, content }) => ({
      path,
      content: Buffer.isBuffer(content) ? content : await readFile(content.file),
    })),
  );
}

/** Removes what a run that was ended left behind. It runs when the run's deadline has passed: its own is short. */
export async function removeRunFolder(host: WindowsHost, folder: string): Promise<void> {
  try {
    const sftp = await host.sftp(AbortSignal.timeout(removeTimeoutMs));
    await sftp.removeTree(folder);
  } catch (error) {
    host.logger.warn('run_folder', 'the folder of a run is left in the home folder', { folder, err: messageOf(error) });
  }
}
