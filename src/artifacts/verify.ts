import { lstat, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../core/digest.ts';
import { AutomationError, systemCodeOf } from '../core/errors.ts';
import { requireJobId } from './job-id.ts';
import { type ArtifactEntry, type Manifest, readManifest } from './manifest.ts';

export type VerifyReason = 'missing' | 'not_a_file' | 'leaves_folder' | 'wrong_size' | 'wrong_hash';

export interface Verified {
  readonly entry: ArtifactEntry;
  /** Undefined where all is right. */
  readonly fault: VerifyReason | undefined;
}

/** The manifest of a job. @throws AutomationError `usage` for a bad id, `job_unknown`, `artifact_refused` */
export async function requireManifest(outDir: string, jobId: string): Promise<{ dir: string; manifest: Manifest }> {
  const dir = join(outDir, requireJobId(jobId));
  const manifest = await readManifest(dir);
  if (manifest === undefined) {
    throw new AutomationError('job_unknown', `there are no artifacts of job ${jobId} in ${outDir}`, {
      hint: 'artifacts.out_dir (WIN_AUTOMATION_ARTIFACT_OUT) must be what it was when the job ran',
      fields: { job_id: jobId },
    });
  }
  if (manifest.job_id === jobId) return { dir, manifest };
  throw new AutomationError('artifact_refused', `${dir}: the manifest is that of job ${manifest.job_id}`);
}

/** Compares each artifact with what the manifest says of it. */
export async function verifyArtifacts(dir: string, manifest: Manifest, signal: AbortSignal): Promise<Verified[]> {
  const results: Verified[] = [];
  for (const entry of manifest.artifacts) results.push({ entry, fault: await faultOf(dir, entry, signal) });
  return results;
}

async function faultOf(dir: string, entry: ArtifactEntry, signal: AbortSignal): Promise<VerifyReason | undefined> {
  const path = join(dir, entry.path);
  try {
    const facts = await lstat(path);
    // A link, of the file or of a folder above it, may lead anywhere.
    if ((await realpath(path)) !== join(await realpath(dir), entry.path)) return 'leaves_folder';
    if (!facts.isFile()) return 'not_a_file';
    if (facts.size !== entry.size_bytes) return 'wrong_size';
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return 'missing';
    throw error;
  }
  return (await digestOf(path, signal)).sha256 === entry.sha256 ? undefined : 'wrong_hash';
}
