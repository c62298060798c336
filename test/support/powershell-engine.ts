import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { callableScript, encodeArgument } from '../../src/windows/powershell/compose.ts';
import { pwsh } from './engines.ts';
import type { Machine } from './stand-ins/machine.ts';
import { makeStandIns } from './stand-ins/module.ts';

export interface RunOptions {
  /** The culture that the script runs under. */
  readonly culture?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** What [Console]::In gives. */
  readonly stdin?: string;
}

export interface RunAnswer {
  readonly ok: boolean;
  readonly output: string;
  /** The error's own words. */
  readonly error: string;
  readonly ms: number;
}

/** One PowerShell for many scripts, each in a runspace of its own, on stand-in machines. */
export class PowershellEngine {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #dir = mkdtempSync(join(tmpdir(), 'win-automation-engine-'));
  readonly #waiting = new Map<number, { resolve: (answer: RunAnswer) => void; reject: (reason: Error) => void }>();
  /** The stand-ins' manifest, for whoever starts a PowerShell afresh. */
  readonly module: string = makeStandIns(this.#dir);
  #lastId = 0;

  constructor() {
    const runner = fileURLToPath(new URL('stand-ins/runner.ps1', import.meta.url));
    this.#child = spawn(pwsh.path ?? '', ['-NoProfile', '-NonInteractive', '-File', runner, this.module]);
    this.#child.stderr.pipe(process.stderr);
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const answer = JSON.parse(line);
      this.#waiting.get(answer.id)?.resolve(answer);
      this.#waiting.delete(answer.id);
    });
    this.#child.on('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the engine ended with ${code}`));
    });
  }

  /** Runs a text that takes one argument, as the PowerShell that stays does. */
  run(script: string, argument: string, options: RunOptions = {}): Promise<RunAnswer> {
    this.#lastId += 1;
    const id = this.#lastId;
    const { culture = '', environment = {}, stdin = '' } = options;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.stdin.write(`${JSON.stringify({ id, script, argument, culture, environment, stdin })}\n`);
    });
  }

  /** Runs a script of ours on a machine. */
  script(script: string, input: unknown, machine: Machine, options: RunOptions = {}): Promise<RunAnswer> {
    const environment = { ...machine.environment, ...options.environment };
    return this.run(callableScript(script), encodeArgument(input), { ...options, environment });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.stdin.end();
    await exited;
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
