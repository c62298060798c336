import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AutomationError, messageOf, systemCodeOf } from '../core/errors.ts';
import { isJobId } from './job-id.ts';
import { readManifest } from './manifest.ts';

const dayMs = 86_400_000;

export interface Retention {
  readonly retentionDays: number;
  readonly isDryRun: boolean;
  readonly now: Date;
  /** Jobs that run are left alone, however old. */
  readonly isRunning: (jobId: string) => Promise<boolean>;
}

export interface GcOptions extends Retention {
  readonly outDir: string;
}

/** Whether what was made then is past retention now. */
export const isPast = (createdMs: number, { now, retentionDays }: Retention): boolean =>
  createdMs < now.getTime() - retentionDays * dayMs;

/**
 * Removes the folders of jobs that are past retention, by the manifest's created_at. What is no job folder is left alone.
 *
 * @returns the ids of the jobs whose folders were, or with `isDryRun` would be, removed
 */
export async function collectGarbage(options: GcOptions): Promise<string[]> {
  const { outDir, isDryRun, isRunning } = options;
  const removed: string[] = [];
  for (const name of await jobFolders(outDir)) {
    const dir = join(outDir, name);
    const createdMs = await createdMsOf(dir);
    if (createdMs === undefined || !isPast(createdMs, options) || (await isRunning(name))) continue;
    if (!isDryRun) await rm(dir, { recursive: true, force: true });
    removed.push(name);
  }
  return removed;
}

async function jobFolders(outDir: string): Promise<string[]> {
  try {
    const entries = await readdir(outDir, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() && isJobId(entry.name)).map(({ name }) => name);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw new AutomationError('io_failed', `${outDir}: ${messageOf(error)}`, { hint: 'check artifacts.out_dir' });
  }
}

/** By the manifest; where it can't be read, by the folder's own age; a folder without one is none of ours. */
async function createdMsOf(dir: string): Promise<number | undefined> {
  try {
    const manifest = await readManifest(dir);
    return manifest === undefined ? undefined : Date.parse(manifest.created_at);
  } catch (error) {
    if (!(error instanceof AutomationError)) throw error;
    return (await stat(dir)).mtimeMs;
  }
}
