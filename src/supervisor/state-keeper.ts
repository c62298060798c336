import { statSync } from 'node:fs';
import type { Logger } from '../core/logger.ts';
import { emptyHostState, type HostState, readState, type SupervisorState, writeState } from './state-file.ts';

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
  #changes: Record<string, HostState> = {};
  #next: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
  }

  /** A host's memory. @throws AutomationError `io_failed` */
  async get(host: string): Promise<HostState> {
    return (await this.#read()).hosts[host] ?? emptyHostState;
  }

  /** Keeps a host's memory; resolves once it is on disk. @throws AutomationError `io_failed` */
  set(host: string, state: HostState): Promise<void> {
    this.#changes[host] = state;
    if (this.#next !== undefined) return this.#next;
    const next = this.#last.then(() => this.#write());
    this.#next = next;
    this.#last = next.catch(() => undefined);
    return next;
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
