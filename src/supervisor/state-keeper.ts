import { statSync } from 'node:fs';
import type { Logger } from '../core/logger.ts';
import { emptyHostState, type HostState, readState, type SupervisorState, writeState } from './state-file.ts';

/** From one write to the next: whoever waits for it holds nobody up. */
const leastBetweenMs = 250;

/** A state file as it was read, and how to tell that it is still the same. */
interface Known {
  readonly stamp: string;
  readonly state: SupervisorState;
}

/**
 * The state file for the many hosts of one process: what has not changed is not read again, and what comes together is
 * written together. Without that a fleet would spend its time on reading and writing each other's memories.
 */
export class StateKeeper {
  readonly #path: string;
  readonly #logger: Logger;
  #known: Known | undefined;
  #reading: Promise<SupervisorState> | undefined;
  /** Hosts whose memory was asked for and not yet given back. */
  readonly #underWay = new Set<string>();
  #lastWriteMs = Number.NEGATIVE_INFINITY;
  #endPause: (() => void) | undefined;
  #changes: Record<string, HostState> = {};
  #next: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
  }

  /** A host's memory, until `set` or `release`. @throws AutomationError `io_failed` */
  async get(host: string): Promise<HostState> {
    // Within one go over a fleet nobody else may write: the caller holds the lock.
    const known = this.#underWay.size > 0 ? this.#known?.state : undefined;
    const state = known ?? (await this.#read());
    this.#underWay.add(host);
    return state.hosts[host] ?? emptyHostState;
  }

  /** Says that a host's memory stays as it is. */
  release(host: string): void {
    this.#underWay.delete(host);
    if (this.#underWay.size === 0) this.#endPause?.();
  }

  /** Keeps a host's memory; resolves once it is on disk. @throws AutomationError `io_failed` */
  set(host: string, state: HostState): Promise<void> {
    this.#changes[host] = state;
    this.release(host);
    if (this.#next !== undefined) return this.#next;
    const next = this.#last.then(() => this.#pause()).then(() => this.#write());
    this.#next = next;
    this.#last = next.catch(() => undefined);
    return next;
  }

  /** Waits for more to write together, for as long as hosts are still being looked at. */
  async #pause(): Promise<void> {
    const waitMs = this.#lastWriteMs + leastBetweenMs - performance.now();
    if (waitMs > 0 && this.#underWay.size > 0) {
      const paused = Promise.withResolvers<void>();
      this.#endPause = paused.resolve;
      const timer = setTimeout(paused.resolve, waitMs);
      await paused.promise;
      clearTimeout(timer);
    }
    this.#lastWriteMs = performance.now();
  }

  async #write(): Promise<void> {
    this.#next = undefined;
    const changes = this.#changes;
    this.#changes = {};
    const before = await this.#read();
    const state = { ...before, hosts: { ...before.hosts, ...changes } };
    await writeState(this.#path, state);
    this.#known = { stamp: this.#stamp(), state };
  }

  /** Who comes while it is being read waits for the same reading. */
  #read(): Promise<SupervisorState> {
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readOnce(): Promise<SupervisorState> {
    const stamp = this.#stamp();
    if (this.#known?.stamp === stamp) return this.#known.state;
    const state = await readState(this.#path, this.#logger);
    this.#known = { stamp, state };
    return state;
  }

  /** Changes with every rename onto the file. What is wrong with the path, reading or writing tells. */
  #stamp(): string {
    try {
      const { ino, size, mtimeNs } = statSync(this.#path, { bigint: true });
      return `${ino} ${size} ${mtimeNs}`;
    } catch {
      return 'none';
    }
  }
}

const keepers = new Map<string, StateKeeper>();

/** The keeper of a file, one for the whole process. */
export function stateKeeper(path: string, logger: Logger): StateKeeper {
  const known = keepers.get(path);
  if (known !== undefined) return known;
  const keeper = new StateKeeper(path, logger);
  keepers.set(path, keeper);
  return keeper;
}
