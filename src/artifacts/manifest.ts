import { closeSync, fsync, openSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { AutomationError, messageOf, systemCodeOf } from '../core/errors.ts';
import { isArtifactPath } from './artifact-path.ts';
import { isJobId } from './job-id.ts';

const sync = promisify(fsync);

const manifestName = 'manifest.json';
const maxManifestBytes = 8 * 1024 * 1024;

const artifact = v.object({
  /** `ssh`, `aloha`, `playwright`, … */
  type: v.string(),
  path: v.pipe(v.string(), v.check(isArtifactPath, 'leads out of the job folder')),
  size_bytes: v.pipe(v.number(), v.integer(), v.minValue(0)),
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});

const timestamp = v.pipe(v.string(), v.isoTimestamp());

/** What a job left, and what became of it (context.md, "Artifacts"). */
export const manifestSchema = v.object({
  schema_version: v.literal(1),
  job_id: v.pipe(v.string(), v.check(isJobId, 'is no job id')),
  trace_id: v.string(),
  type: v.string(),
  state: v.picklist(['running', 'completed', 'failed', 'cancelled']),
  host: v.string(),
  attempt: v.pipe(v.number(), v.integer(), v.minValue(1)),
  created_at: timestamp,
  started_at: timestamp,
  ended_at: v.nullable(timestamp),
  input: v.unknown(),
  result: v.unknown(),
  error: v.nullable(v.object({ code: v.string(), message: v.string() })),
  artifacts: v.array(artifact),
});

export type Manifest = v.InferOutput<typeof manifestSchema>;
export type ArtifactEntry = Manifest['artifacts'][number];

/**
 * Writes a manifest so that a kill at any moment leaves the old one or the new one: to a temporary file, renamed. That of
 * a job that is over is fsynced, and its folder too, so that it outlives a power cut. Only that waits on another thread: the
 * other steps are done sooner than another thread could be asked to.
 */
export async function writeManifest(dir: string, manifest: Manifest): Promise<void> {
  const isLasting = manifest.state !== 'running';
  const path = join(dir, manifestName);
  const temporary = `${path}.tmp`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    writeFileSync(file, `${JSON.stringify(manifest, undefined, 2)}\n`);
    if (isLasting) await sync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  if (!isLasting) return;
  const folder = openSync(dirname(path), 'r');
  try {
    await sync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Tells one written manifest from every other of the same folder, without reading it; undefined where there is none. */
export function manifestIdentity(dir: string): string | undefined {
  const facts = statSync(join(dir, manifestName), { bigint: true, throwIfNoEntry: false });
  // A number of an inode is used again; a time then differs. Deno tells one of them in seconds only.
  return facts === undefined ? undefined : `${facts.ino}:${facts.ctimeNs}:${facts.mtimeNs}:${facts.size}`;
}

/**
 * Reads a job's manifest, and checks every word of it.
 *
 * @returns undefined where there is none
 * @throws AutomationError `artifact_refused`: too large, not JSON, or not what a manifest holds
 */
export async function readManifest(dir: string): Promise<Manifest | undefined> {
  const path = join(dir, manifestName);
  const refuse = (reason: string) => new AutomationError('artifact_refused', `${path}: ${reason}`);
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > maxManifestBytes) throw refuse(`${size} bytes are too many; at most ${maxManifestBytes} are read`);
    await using file = await open(path, 'r');
    text = await file.readFile('utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR') return undefined;
    if (error instanceof AutomationError) throw error;
    throw refuse(messageOf(error));
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), manifestSchema), text);
  if (parsed.success) return parsed.output;
  const problems = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`);
  throw refuse(`no manifest: ${problems.slice(0, 3).join('; ')}`);
}
