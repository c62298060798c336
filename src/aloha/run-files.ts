import { join } from 'node:path';
import { get } from '../windows/files.ts';
import type { WindowsHost } from '../windows/host.ts';
import { baseName, joinRemote, sftpPath } from '../windows/paths.ts';

/** The most step folders of one run that are brought over: a step's screenshots take some megabytes. */
const maxFolders = 200;

/** Folders on Windows, as SFTP names them. */
export interface RunFolders {
  /** The server's, one a step. */
  readonly steps: readonly string[];
  /** The client's screenshots. */
  readonly screenshots: readonly string[];
}

/** The client's screenshot folders that are there now. They carry no run's name: what is new after a run is the run's. */
export function listScreenshotFolders(host: WindowsHost, alohaDir: string, signal: AbortSignal): Promise<string[]> {
  return listFolder(host, joinRemote(sftpPath(alohaDir), '.cache'), signal);
}

/** What a run left. @param before the screenshot folders that were there before it */
export async function runFolders(
  host: WindowsHost,
  alohaDir: string,
  taskId: string | undefined,
  before: readonly string[],
  signal: AbortSignal,
): Promise<RunFolders> {
  const known = new Set(before);
  const after = await listScreenshotFolders(host, alohaDir, signal);
  const logs = taskId === undefined ? [] : await listFolder(host, joinRemote(sftpPath(alohaDir), 'logs'), signal);
  return {
    steps: logs.filter((path) => baseName(path).startsWith(`${taskId}_`)).slice(0, maxFolders),
    screenshots: after.filter((path) => !known.has(path)).slice(0, maxFolders),
  };
}

/**
 * Brings what a run left to a folder of this machine, below `steps` and `screenshots`.
 *
 * @returns how many files came
 */
export async function fetchRunFolders(
  host: WindowsHost,
  folders: RunFolders,
  dir: string,
  signal: AbortSignal,
): Promise<number> {
  let files = 0;
  for (const kind of ['steps', 'screenshots'] as const) {
    for (const path of folders[kind]) {
      const target = join(dir, kind, baseName(path));
      const fetched = await get(host, path, target, { isRecursive: true, isVerified: false, signal });
      files += fetched.files;
    }
  }
  return files;
}

async function listFolder(host: WindowsHost, path: string, signal: AbortSignal): Promise<string[]> {
  const sftp = await host.sftp(signal);
  if (!(await sftp.stat(path))?.isDirectory()) return [];
  const entries = await sftp.list(path);
  return entries
    .map(({ filename }) => filename)
    .filter((name) => name !== '.' && name !== '..')
    .sort()
    .map((name) => joinRemote(path, name));
}
