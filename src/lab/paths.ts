import { join, normalize, resolve } from 'node:path';
import type { LabState } from './state.ts';

/**
 * A path of the simulated Windows on this machine: `C:\x`, `/C:/x`, `%ProgramData%`-less relative paths below the home
 * folder. It never leads out of the lab's folder.
 */
export function localPath(state: LabState, path: string): string {
  const slashed = path.replaceAll('\\', '/');
  const drive = /^\/?[Cc]:(\/.*)?$/.exec(slashed);
  const wanted = drive ? join(state.root, drive[1] ?? '/') : join(state.homeDir, slashed.replace(/^\/+/, ''));
  const clean = resolve(normalize(wanted));
  return clean === state.root || clean.startsWith(`${state.root}/`) ? clean : state.root;
}

/** The reverse, as SFTP shows it: `/C:/x`. */
export function remotePath(state: LabState, local: string): string {
  return `/C:${local.slice(state.root.length) || '/'}`;
}
