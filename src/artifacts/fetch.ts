import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AutomationError } from '../core/errors.ts';
import type { Manifest } from './manifest.ts';
import { writeManifest } from './manifest.ts';
import { verifyArtifacts } from './verify.ts';

export interface FetchProgress {
  readonly file: string;
  readonly done: number;
  readonly total: number;
}

/**
 * Copies a job's artifacts to another folder, each compared with the manifest's hash before it is taken.
 *
 * @throws AutomationError `artifact_refused` naming the first that is not what the manifest says; nothing is copied then
 */
export async function copyArtifacts(
  dir: string,
  manifest: Manifest,
  outDir: string,
  signal: AbortSignal,
  onProgress: (progress: FetchProgress) => void,
): Promise<number> {
  const verified = await verifyArtifacts(dir, manifest, signal);
  const bad = verified.find(({ fault }) => fault !== undefined);
  if (bad !== undefined) throw new AutomationError('artifact_refused', `${bad.entry.path}: ${bad.fault}`);
  const total = manifest.artifacts.length;
  for (const [done, { path }] of manifest.artifacts.entries()) {
    signal.throwIfAborted();
    onProgress({ file: path, done, total });
    const target = join(outDir, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await copyFile(join(dir, path), target);
  }
  await mkdir(outDir, { recursive: true, mode: 0o700 });
  await writeManifest(outDir, manifest);
  return total;
}
