import type { DatabaseSync } from 'node:sqlite';
import { AutomationError } from '../../../core/errors.ts';

/** What brings a store from one version to the next; the first makes it. Never change one that was released: add another. */
const migrations: readonly string[] = [
  `CREATE TABLE jobs (
    job_id TEXT PRIMARY KEY,
    trace_id TEXT NOT NULL,
    type TEXT NOT NULL,
    is_gui INTEGER NOT NULL,
    host TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
    input TEXT NOT NULL,
    result TEXT,
    error TEXT,
    attempt INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    timeout_ms INTEGER NOT NULL,
    backoff_ms INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    run_at_ms INTEGER NOT NULL,
    started_ms INTEGER,
    ended_ms INTEGER,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    idempotency_key TEXT UNIQUE,
    lease_owner TEXT,
    lease_boot TEXT,
    lease_until_ms INTEGER
  ) STRICT;
  CREATE INDEX jobs_waiting ON jobs (priority DESC, run_at_ms) WHERE state = 'queued';
  CREATE INDEX jobs_running ON jobs (host) WHERE state = 'running';
  CREATE INDEX jobs_created ON jobs (created_ms);
  CREATE TABLE job_logs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    line TEXT NOT NULL
  ) STRICT;
  CREATE INDEX job_logs_job ON job_logs (job_id, seq);
  CREATE TABLE workers (
    worker_id TEXT PRIMARY KEY,
    types TEXT NOT NULL,
    lease_boot TEXT NOT NULL,
    lease_until_ms INTEGER NOT NULL
  ) STRICT;`,
];

/**
 * Makes a store of the present schema out of an empty or an older one.
 *
 * @throws AutomationError `store_newer` where a newer program made it: it is not touched
 */
export function migrate(db: DatabaseSync, path: string): void {
  const version = () => Number((db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version);
  if (version() > migrations.length) {
    throw new AutomationError(
      'store_newer',
      `${path} has schema ${version()}, and this program knows ${migrations.length}`,
      {
        hint: 'a newer win-automation made it: use that one, or set jobs.store to another file',
      },
    );
  }
  if (version() === migrations.length) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have done it meanwhile.
    for (const [index, sql] of migrations.entries()) {
      if (index < version()) continue;
      db.exec(sql);
      db.exec(`PRAGMA user_version = ${index + 1}`);
    }
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}
