import { closeSync, fchmodSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import * as v from 'valibot';
import { milliseconds } from '../../../core/duration.ts';
import { AutomationError, messageOf } from '../../../core/errors.ts';
import { type JobRecord, jobStates } from '../../engine.ts';
import { migrate } from './schema.ts';

/** How long one process waits for another's transaction. */
const busyTimeoutMs = 10_000;

const json = v.pipe(v.string(), v.parseJson());
const row = v.object({
  job_id: v.string(),
  trace_id: v.string(),
  type: v.string(),
  host: v.string(),
  state: v.picklist(jobStates),
  input: json,
  result: v.nullable(json),
  error: v.nullable(v.pipe(json, v.object({ code: v.string(), message: v.string() }))),
  attempt: v.number(),
  max_attempts: v.number(),
  timeout_ms: v.number(),
  priority: v.number(),
  created_ms: v.number(),
  run_at_ms: v.number(),
  started_ms: v.nullable(v.number()),
  ended_ms: v.nullable(v.number()),
  cancel_requested: v.number(),
});

/**
 * Makes the file for its owner's eyes only, whatever the umask: it holds inputs and outputs of jobs. SQLite gives the files beside
 * it the same mode.
 */
function closeToOthers(path: string): void {
  const file = openSync(path, 'a', 0o600);
  try {
    const { mode, uid } = fstatSync(file);
    if ((mode & 0o077) !== 0 && uid === userInfo().uid) fchmodSync(file, 0o600);
  } finally {
    closeSync(file);
  }
}

/** The SQLite file: statements, transactions, and errors that say which file. Several processes may have it open. */
export class Store implements Disposable {
  readonly path: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();

  /** @throws AutomationError `store_failed`, `store_newer` */
  constructor(path: string) {
    this.path = path;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      closeToOthers(path);
      this.#db = new DatabaseSync(path);
      this.#db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
      this.#useWal();
      this.#db.exec('PRAGMA synchronous = FULL');
      this.#db.exec('PRAGMA foreign_keys = ON');
      migrate(this.#db, path);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** Two processes that make a store at once: SQLite refuses one of them here at once, without its busy timeout. */
  #useWal(): void {
    const endMs = performance.now() + busyTimeoutMs;
    for (;;) {
      try {
        this.#db.exec('PRAGMA journal_mode = WAL');
        return;
      } catch (error) {
        if (!/locked|busy/i.test(messageOf(error)) || performance.now() > endMs) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      }
    }
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return this.#try(() => Number(this.#prepare(sql).run(...values).changes));
  }

  all(sql: string, ...values: SQLInputValue[]): unknown[] {
    return this.#try(() => this.#prepare(sql).all(...values));
  }

  jobs(sql: string, ...values: SQLInputValue[]): JobRecord[] {
    return this.all(sql, ...values).map(recordOf);
  }

  /** All or nothing, and nobody else writes meanwhile. */
  transaction<T>(work: () => T): T {
    return this.#try(() => {
      this.#db.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        this.#db.exec('COMMIT');
        return result;
      } catch (error) {
        // A full disk may have rolled it back by itself.
        if (this.#db.isTransaction !== false) this.#rollback();
        throw error;
      }
    });
  }

  /** Changes whenever another connection has written: a cheap way to see whether it is worth looking. */
  get dataVersion(): number {
    const [found] = this.all('PRAGMA data_version') as { data_version: number }[];
    return Number(found?.data_version ?? 0);
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    this.#db.close();
  }

  #rollback(): void {
    try {
      this.#db.exec('ROLLBACK');
    } catch (error) {
      // The transaction is over already; what ended it is being thrown.
      if (!/no transaction is active/.test(messageOf(error))) throw error;
    }
  }

  #prepare(sql: string): ReturnType<DatabaseSync['prepare']> {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }

  #try<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #failure(error: unknown): unknown {
    if (error instanceof AutomationError) return error;
    const reason = messageOf(error);
    const hint = /full/i.test(reason)
      ? 'the disk is full: make room, nothing is lost'
      : 'check jobs.store and state_dir: is the folder writable?';
    return new AutomationError('store_failed', `${this.path}: ${reason}`, { hint, cause: error });
  }
}

function recordOf(found: unknown): JobRecord {
  const one = v.parse(row, found);
  const date = (ms: number | null) => (ms === null ? undefined : new Date(ms));
  return {
    jobId: one.job_id,
    traceId: one.trace_id,
    type: one.type,
    host: one.host,
    state: one.state,
    input: one.input,
    result: one.result ?? undefined,
    error: one.error ?? undefined,
    attempt: one.attempt,
    maxAttempts: one.max_attempts,
    timeoutMs: milliseconds(one.timeout_ms),
    priority: one.priority,
    createdAt: new Date(one.created_ms),
    runAt: new Date(one.run_at_ms),
    startedAt: date(one.started_ms),
    endedAt: date(one.ended_ms),
    isCancelRequested: one.cancel_requested === 1,
  };
}
