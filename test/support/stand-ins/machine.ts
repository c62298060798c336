import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One rule, task, process and so on, as Windows names its properties. */
type Item = Readonly<Record<string, unknown>>;

/** What a stand-in machine is like; see bodies/*.ps1 for each part. */
export interface MachineState {
  readonly user?: string;
  readonly is_admin?: boolean;
  readonly rules?: readonly Item[];
  readonly tasks?: readonly Item[];
  readonly tasks_end?: Item;
  readonly start_programs?: boolean;
  readonly processes?: readonly Item[];
  readonly connections?: readonly Item[];
  readonly services?: readonly Item[];
  readonly sessions?: readonly Item[];
  readonly desktop?: readonly number[];
  readonly cim?: Readonly<Record<string, readonly Item[]>>;
  readonly registry?: Readonly<Record<string, Item>>;
  readonly acl?: Readonly<Record<string, Item>>;
  readonly power?: Readonly<Record<string, { readonly ac: number; readonly dc: number }>>;
  readonly power_is_stuck?: boolean;
  readonly powercfg_exit_code?: number;
  readonly icacls_exit_code?: number;
  readonly errors?: Readonly<Record<string, { category: string; message: string; after?: number }>>;
}

/** What was done to a machine: the cmdlet, and what it did it to. */
export interface LogEntry {
  readonly command: string;
  readonly detail: unknown;
}

/** A stand-in machine: its state in a file, and a folder for what stands in for C:\ProgramData. */
export class Machine {
  readonly dir: string = mkdtempSync(join(tmpdir(), 'win-automation-machine-'));
  readonly #file = join(this.dir, 'state.json');

  constructor(state: MachineState = {}) {
    this.set(state);
  }

  /** What a process needs in its environment to be on this machine. */
  get environment(): Readonly<Record<string, string>> {
    return {
      WIN_AUTOMATION_STAND_IN_STATE: this.#file,
      ProgramData: this.dir,
      LOCALAPPDATA: join(this.dir, 'local'),
      PROCESSOR_ARCHITECTURE: 'AMD64',
    };
  }

  /** Makes it another machine. */
  set(state: MachineState): void {
    writeFileSync(this.#file, JSON.stringify(state));
  }

  /** What it is now. */
  get state(): MachineState {
    return JSON.parse(readFileSync(this.#file, 'utf8'));
  }

  /** What was changed on it, in order. */
  get log(): readonly LogEntry[] {
    return JSON.parse(readFileSync(this.#file, 'utf8')).log ?? [];
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
