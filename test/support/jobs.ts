import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { after, afterEach, before, beforeEach } from 'node:test';
import * as v from 'valibot';
import { type Manifest, manifestSchema } from '../../src/artifacts/manifest.ts';
import { type Executable, type Finished, installExecutable, type RunOptions } from './executable.ts';
import { startTestLab, type TestLab } from './lab.ts';

/** The executable with a lab as its host, a state of its own for each test, and workers that end with the test. */
export class JobsHarness {
  lab!: TestLab;
  program!: Executable;
  env: Record<string, string> = {};
  readonly #workers: ChildProcess[] = [];
  readonly #engineEnv: () => Record<string, string>;
  /** What a worker is given beside what a test gives it. */
  readonly #workerArgs: readonly string[];

  /** Registers its own hooks: call it inside a suite. @param engineEnv asked for anew before each test */
  constructor(engineEnv: () => Record<string, string>, workerArgs: readonly string[] = []) {
    this.#engineEnv = engineEnv;
    this.#workerArgs = workerArgs;
    before(async () => {
      this.lab = await startTestLab();
    });
    after(() => this.lab.close());
    beforeEach(() => {
      this.program = installExecutable();
      this.env = {
        ...this.lab.env,
        HOME: this.program.home,
        PATH: process.env['PATH'] ?? '',
        WIN_AUTOMATION_STATE_DIR: join(this.program.home, 'state'),
        WIN_AUTOMATION_ARTIFACT_OUT: join(this.program.home, 'artifacts'),
        WIN_AUTOMATION_HATCHET_RETRY_BACKOFF: '1s',
        ...this.#engineEnv(),
      };
    });
    afterEach(() => {
      for (const worker of this.#workers.splice(0)) worker.kill('SIGKILL');
      this.program.remove();
    });
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return this.program.run(args, { ...options, env: { ...this.env, ...options.env } });
  }

  async json(...args: string[]) {
    const { exitCode, stdout, stderr } = await this.run([...args, '--json']);
    assert.notEqual(stdout.length, 0, stderr);
    return { exitCode, payload: JSON.parse(stdout.toString()) };
  }

  /** Enqueues a `windows.exec` job. @returns its id */
  async enqueue(...args: string[]): Promise<string> {
    const { exitCode, words, stderr } = await this.run(['jobs', 'enqueue', '--type', 'windows.exec', ...args]);
    assert.equal(exitCode, 0, stderr);
    return words['job_id'] ?? '';
  }

  startWorker(args: readonly string[] = [], more: Record<string, string> = {}): ChildProcess & { log: string } {
    const child = spawn(this.program.path, ['worker', ...this.#workerArgs, ...args], {
      env: { ...this.env, ...more },
      cwd: this.program.home,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const worker = Object.assign(child, { log: '' });
    child.stdout?.resume();
    child.stderr?.on('data', (chunk: Buffer) => {
      worker.log += chunk.toString();
    });
    this.#workers.push(child);
    return worker;
  }

  readonly statusOf = async (id: string) => (await this.json('jobs', 'status', '--id', id)).payload;

  watch(id: string): Promise<Finished> {
    return this.run(['jobs', 'watch', '--id', id]);
  }

  folder(id: string): string {
    return join(this.program.home, 'artifacts', id);
  }

  manifestOf(id: string): Manifest {
    return v.parse(manifestSchema, JSON.parse(readFileSync(join(this.folder(id), 'manifest.json'), 'utf8')));
  }

  /** Whether a process runs in the lab whose command line holds a text. */
  runs(text: string): boolean {
    return [...this.lab.state.processes.values()].some(({ commandLine }) => commandLine.includes(text));
  }
}
