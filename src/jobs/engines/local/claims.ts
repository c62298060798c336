import type { AttemptEnd } from '../../attempt.ts';
import type { JobRecord } from '../../engine.ts';
import { leaseNow } from './lease-clock.ts';
import type { Store } from './store.ts';

const backoffMaxMs = 3_600_000;

/** What one worker does with the store: takes jobs under a lease, keeps the lease, tells how they ended. */
export class Claims {
  readonly #store: Store;
  readonly #workerId: string;
  readonly #types: readonly string[];
  readonly #leaseMs: number;

  constructor(store: Store, workerId: string, types: readonly string[], leaseMs: number) {
    this.#store = store;
    this.#workerId = workerId;
    this.#types = types;
    this.#leaseMs = leaseMs;
  }

  /**
   * Takes the next jobs: those that are due, and those whose worker let its lease run out. A host's desktop is used by one
   * job at a time. This worker's own leases are kept first: one that slept too long must not take its own jobs for lost.
   *
   * @param most how many; taken together they cost one fsync
   * @param except jobs of which an earlier try still runs here
   */
  claim(most: number, except: readonly string[] = []): JobRecord[] {
    const { bootId, uptimeMs } = leaseNow();
    const nowMs = Date.now();
    return this.#store.transaction(() => {
      this.#keep(bootId, uptimeMs);
      this.#freeLost(bootId, uptimeMs, nowMs);
      const taken: JobRecord[] = [];
      while (taken.length < most) {
        const job = this.#claimOne(bootId, uptimeMs, nowMs, JSON.stringify(except));
        if (job === undefined) break;
        taken.push(job);
      }
      return taken;
    });
  }

  #claimOne(bootId: string, uptimeMs: number, nowMs: number, except: string): JobRecord | undefined {
    const types = this.#types.map(() => '?').join(', ');
    return this.#store.jobs(
      `UPDATE jobs SET state = 'running', attempt = attempt + 1, started_ms = ?, lease_owner = ?, lease_boot = ?,
         lease_until_ms = ?
       WHERE job_id = (
         SELECT r.job_id FROM jobs r
         WHERE r.state = 'queued' AND r.run_at_ms <= ?
           AND r.type IN (${types}) AND r.job_id NOT IN (SELECT value FROM json_each(?))
           AND NOT (r.is_gui AND EXISTS (
             SELECT 1 FROM jobs g WHERE g.state = 'running' AND g.is_gui AND g.host = r.host AND g.job_id <> r.job_id
           ))
         ORDER BY r.priority DESC, r.run_at_ms, r.rowid LIMIT 1
       ) RETURNING *`,
      nowMs,
      this.#workerId,
      bootId,
      uptimeMs + this.#leaseMs,
      nowMs,
      ...this.#types,
      except,
    )[0];
  }

  #keep(bootId: string, uptimeMs: number): void {
    this.#store.run(
      `UPDATE jobs SET lease_until_ms = ? WHERE state = 'running' AND lease_owner = ? AND lease_boot = ?`,
      uptimeMs + this.#leaseMs,
      this.#workerId,
      bootId,
    );
  }

  /** Those whose worker was lost wait again; or end, if it was their last try, or they were cancelled meanwhile. */
  #freeLost(bootId: string, uptimeMs: number, nowMs: number): void {
    const isLost = `state = 'running' AND NOT (lease_boot = ? AND lease_until_ms > ?)`;
    this.#store.run(
      `UPDATE jobs SET state = iif(cancel_requested, 'cancelled', 'failed'), ended_ms = ?, lease_owner = NULL,
         error = iif(cancel_requested, '{"code":"cancelled","message":"cancelled while its worker was gone"}',
           '{"code":"job_lost","message":"its worker was lost in its last try"}')
       WHERE ${isLost} AND (cancel_requested OR attempt >= max_attempts)`,
      nowMs,
      bootId,
      uptimeMs,
    );
    this.#store.run(`UPDATE jobs SET state = 'queued', lease_owner = NULL WHERE ${isLost}`, bootId, uptimeMs);
  }

  /** Keeps this worker's leases. @returns which jobs it still holds, and whether each is to be cancelled */
  heartbeat(): Map<string, boolean> {
    const { bootId, uptimeMs } = leaseNow();
    return this.#store.transaction(() => {
      this.#store.run(
        `INSERT INTO workers (worker_id, types, lease_boot, lease_until_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (worker_id) DO UPDATE SET lease_boot = ?3, lease_until_ms = ?4`,
        this.#workerId,
        this.#types.join(','),
        bootId,
        uptimeMs + this.#leaseMs,
      );
      this.#keep(bootId, uptimeMs);
      return this.held();
    });
  }

  /** Which jobs this worker holds, and whether each is to be cancelled. */
  held(): Map<string, boolean> {
    const rows = this.#store.all(
      `SELECT job_id, cancel_requested FROM jobs WHERE state = 'running' AND lease_owner = ?`,
      this.#workerId,
    ) as { job_id: string; cancel_requested: number }[];
    return new Map(rows.map(({ job_id, cancel_requested }) => [job_id, cancel_requested === 1]));
  }

  /** @returns the state that the job has now; undefined where it is not ours any more, and what we did does not count */
  finish(job: JobRecord, end: AttemptEnd): JobRecord['state'] | undefined {
    const isTriedAgain = end.state === 'failed' && end.isRetryable && job.attempt < job.maxAttempts;
    const error = end.error === undefined ? null : JSON.stringify(end.error);
    const result = end.result === undefined ? null : JSON.stringify(end.result);
    const [after] = this.#store.jobs(
      // One that is to be cancelled gets no other try.
      `UPDATE jobs SET state = iif(?1 = 'queued' AND cancel_requested, 'cancelled', ?1), result = ?2, error = ?3,
         ended_ms = iif(?1 = 'queued' AND NOT cancel_requested, NULL, ?4), lease_owner = NULL,
         run_at_ms = iif(?1 = 'queued', ?4 + min(${backoffMaxMs}, backoff_ms << (attempt - 1)), run_at_ms)
       WHERE job_id = ?5 AND state = 'running' AND lease_owner = ?6 AND attempt = ?7 RETURNING *`,
      isTriedAgain ? 'queued' : end.state,
      result,
      error,
      Date.now(),
      job.jobId,
      this.#workerId,
      job.attempt,
    );
    return after?.state;
  }

  /** Gives a job back as if it had never been taken; one that is to be cancelled is over. @returns the state it has now */
  handBack(job: JobRecord): JobRecord['state'] | undefined {
    const [after] = this.#store.jobs(
      `UPDATE jobs SET state = iif(cancel_requested, 'cancelled', 'queued'), ended_ms = iif(cancel_requested, ?, NULL),
         error = iif(cancel_requested, '{"code":"cancelled","message":"cancelled while its worker ended"}', error),
         attempt = attempt - iif(cancel_requested, 0, 1), started_ms = iif(cancel_requested, started_ms, NULL), lease_owner = NULL
       WHERE job_id = ? AND state = 'running' AND lease_owner = ? AND attempt = ? RETURNING *`,
      Date.now(),
      job.jobId,
      this.#workerId,
      job.attempt,
    );
    return after?.state;
  }

  /** Adds lines to jobs' logs, in one go. */
  log(lines: readonly { readonly jobId: string; readonly line: string }[]): void {
    this.#store.transaction(() => {
      for (const { jobId, line } of lines) {
        this.#store.run(
          'INSERT INTO job_logs (job_id, line) SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM jobs WHERE job_id = ?1)',
          jobId,
          line,
        );
      }
    });
  }

  /** When the next job that waits is due, in wall-clock milliseconds. */
  nextDueMs(): number | undefined {
    const [found] = this.#store.all(`SELECT min(run_at_ms) AS due FROM jobs WHERE state = 'queued'`) as {
      due: number | null;
    }[];
    return found?.due ?? undefined;
  }

  /** How many jobs were enqueued since a moment. */
  enqueuedSince(sinceMs: number): number {
    const [found] = this.#store.all('SELECT count(*) AS n FROM jobs WHERE created_ms >= ?', sinceMs) as { n: number }[];
    return Number(found?.n ?? 0);
  }

  /** Removes jobs that were over before a moment, with their logs. @returns how many */
  forget(beforeMs: number): number {
    return this.#store.run(`DELETE FROM jobs WHERE state NOT IN ('queued', 'running') AND ended_ms < ?`, beforeMs);
  }

  /** Says that this worker is gone. */
  leave(): void {
    this.#store.run('DELETE FROM workers WHERE worker_id = ?', this.#workerId);
  }
}
