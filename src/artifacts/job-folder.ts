import { mkdirSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Writable } from 'node:stream';
import { digestOf } from '../core/digest.ts';
import { AutomationError, messageOf } from '../core/errors.ts';
import { type Redact, redactValue } from '../core/redact.ts';
import { requireArtifactPath } from './artifact-path.ts';
import { HashingFile } from './hashing-file.ts';
import { requireJobId } from './job-id.ts';
import { type ArtifactEntry, type Manifest, manifestIdentity, writeManifest } from './manifest.ts';

/** What is known of a job when its folder is made. */
export interface JobFacts {
  readonly jobId: string;
  readonly traceId: string;
  readonly type: string;
  readonly host: string;
  readonly attempt: number;
  readonly createdAt: Date;
  readonly input: unknown;
}

/** How a job ended. */
export interface JobEnd {
  readonly state: Exclude<Manifest['state'], 'running'>;
  readonly result: unknown;
  readonly error: { readonly code: string; readonly message: string } | null;
}

function writeFailure(dir: string, error: unknown): AutomationError {
  if (error instanceof AutomationError) return error;
  const hint = 'check artifacts.out_dir, and the room on its disk';
  return new AutomationError('io_failed', `${dir}: ${messageOf(error)}`, { hint, cause: error });
}

/** The folder of one job's artifacts: `<out_dir>/<job_id>/`, for its owner's eyes only. */
export class JobFolder {
  readonly dir: string;
  readonly #facts: JobFacts;
  readonly #redact: Redact;
  readonly #startedAt = new Date();
  /** Which manifest is ours, once there is one. */
  #manifest: string | undefined;
  readonly #entries = new Map<string, ArtifactEntry>();
  readonly #open: { readonly type: string; readonly path: string; readonly file: HashingFile }[] = [];

  private constructor(dir: string, facts: JobFacts, redact: Redact) {
    this.dir = dir;
    this.#facts = facts;
    this.#redact = redact;
  }

  /**
   * Makes the folder; what an earlier attempt left in it goes.
   *
   * @throws AutomationError `usage` for a bad job id, `io_failed` naming the folder if it can't be written
   */
  static async create(outDir: string, facts: JobFacts, redact: Redact): Promise<JobFolder> {
    const dir = join(outDir, requireJobId(facts.jobId));
    try {
      // As in writeManifest: done sooner than another thread could be asked to.
      const made = mkdirSync(dir, { recursive: true, mode: 0o700 });
      const left = made === undefined ? await readdir(dir) : [];
      for (const name of left) await rm(join(dir, name), { recursive: true });
      const folder = new JobFolder(dir, facts, redact);
      await folder.#write({ state: 'running', result: null, error: null });
      return folder;
    } catch (error) {
      throw writeFailure(dir, error);
    }
  }

  /** A place for a file that somebody else writes; `add` takes it up afterwards. */
  async place(path: string): Promise<string> {
    this.#requireOwn();
    const target = join(this.dir, requireArtifactPath(path));
    await this.#io(mkdir(dirname(target), { recursive: true, mode: 0o700 }));
    return target;
  }

  /** A sink for an artifact that is written bit by bit. It is closed by `finish`, if nobody does before. */
  async stream(type: string, path: string): Promise<Writable> {
    const file = new HashingFile(await this.place(path));
    this.#open.push({ type, path, file });
    return file;
  }

  /** Writes a small artifact. */
  async text(type: string, path: string, content: string): Promise<void> {
    const target = await this.place(path);
    await this.#io(writeFile(target, content, { mode: 0o600 }));
    await this.add(type, path);
  }

  /** Takes up a file that is there by now. */
  async add(type: string, path: string): Promise<void> {
    const { sizeBytes, sha256 } = await digestOf(join(this.dir, requireArtifactPath(path)));
    this.#entries.set(path, { type, path, size_bytes: sizeBytes, sha256 });
  }

  /** Takes up every file below a folder. */
  async addFolder(type: string, path: string): Promise<void> {
    const entries = await readdir(join(this.dir, requireArtifactPath(path)), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (entry.isFile()) await this.add(type, relative(this.dir, join(entry.parentPath, entry.name)));
    }
  }

  /** Closes what is open and writes the manifest: on success and on failure alike. */
  async finish(end: JobEnd): Promise<Manifest> {
    for (const { type, path, file } of this.#open.splice(0)) {
      // Of a file that could not be written to its end, what is there counts.
      if (!(await file.close())) await this.add(type, path);
      else {
        const { sizeBytes, sha256 } = file.digest();
        this.#entries.set(path, { type, path, size_bytes: sizeBytes, sha256 });
      }
    }
    return this.#write(end);
  }

  async #io<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw writeFailure(this.dir, error);
    }
  }

  /**
   * A try that lost its lease while it slept finds the folder taken by one that began later, and must not touch it any more.
   *
   * @throws AutomationError `job_lost`
   */
  #requireOwn(): void {
    if (this.#manifest === undefined || manifestIdentity(this.dir) === this.#manifest) return;
    const { jobId, attempt } = this.#facts;
    throw new AutomationError(
      'job_lost',
      `try ${attempt} of job ${jobId} is over: its artifact folder is another try's`,
    );
  }

  async #write(end: Omit<JobEnd, 'state'> & { readonly state: Manifest['state'] }): Promise<Manifest> {
    const { jobId, traceId, type, host, attempt, createdAt, input } = this.#facts;
    const manifest: Manifest = {
      schema_version: 1,
      job_id: jobId,
      trace_id: traceId,
      type,
      state: end.state,
      host,
      attempt,
      created_at: createdAt.toISOString(),
      started_at: this.#startedAt.toISOString(),
      ended_at: end.state === 'running' ? null : new Date().toISOString(),
      input,
      result: end.result ?? null,
      error: end.error,
      artifacts: [...this.#entries.values()],
    };
    this.#requireOwn();
    // A secret that found its way into an input or a message stays out of the file. Only these can hold any, and only by value: a
    // password may be a word that a date or a key has in it.
    const error = end.error === null ? null : { ...end.error, message: this.#redact(end.error.message) };
    const [cleanInput, result] = [input, end.result ?? null].map((value) => redactValue(value, this.#redact));
    const clean: Manifest = { ...manifest, input: cleanInput, result, error };
    await this.#io(writeManifest(this.dir, clean));
    this.#manifest = manifestIdentity(this.dir);
    return clean;
  }
}
