import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { parseWords } from './words.ts';

/** Where the test run put the executable that it built away from node_modules; else the one that a person built. */
const built = resolve(process.env['TEST_EXECUTABLE'] ?? 'dist/win-automation');

/** Why the executable can't be tested, or undefined if it can. */
export const whyNoExecutable = existsSync(built) ? undefined : `no ${built}: npm run build`;

export interface Finished {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** The log lines, read. */
  readonly logs: readonly Record<string, string>[];
  /** The payload's words. */
  readonly words: Record<string, string>;
  readonly durationMs: number;
  /** The most memory it held: VmHWM of /proc, in bytes. */
  readonly peakRssBytes: number;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  readonly cwd?: string;
  /** Called once it runs, to send signals and the like. */
  readonly onStart?: (child: ChildProcess) => void;
  /** Keeps no output, only counts it, where it is too much to keep. */
  readonly isDiscarded?: boolean;
}

/** The executable, alone in an empty folder, with an environment of its own. */
export interface Executable {
  readonly path: string;
  readonly home: string;
  run(args: readonly string[], options?: RunOptions): Promise<Finished>;
  remove(): void;
}

/** Copies the executable to an empty folder, which is also its HOME. */
export function installExecutable(): Executable {
  const home = mkdtempSync(join(tmpdir(), 'wa-home-'));
  const path = join(home, 'win-automation');
  copyFileSync(built, path);
  return {
    path,
    home,
    run: (args, options = {}) => runProgram([path, ...args], home, options),
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}

/** Runs a program to its end. */
export function runProgram(argv: readonly string[], home: string, options: RunOptions = {}): Promise<Finished> {
  const [program = '', ...args] = argv;
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: home, ...options.env };
  return new Promise((done, fail) => {
    const startedMs = performance.now();
    const child = spawn(program, args, { env, cwd: options.cwd ?? home, stdio: ['pipe', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    let stderr = '';
    let peakRssBytes = 0;
    const watch = setInterval(() => {
      peakRssBytes = Math.max(peakRssBytes, peakRssOf(child.pid));
    }, 10);
    child.stdout.on('data', (chunk: Buffer) => options.isDiscarded || stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    // A program that ends before it reads its input is no fault of the test.
    child.stdin.on('error', () => undefined);
    if (options.input === undefined) child.stdin.end();
    else child.stdin.end(options.input);
    child.once('spawn', () => options.onStart?.(child));
    child.once('error', fail);
    child.once('close', (exitCode) => {
      clearInterval(watch);
      const all = Buffer.concat(stdout);
      const durationMs = performance.now() - startedMs;
      done({
        exitCode,
        stdout: all,
        stderr,
        durationMs,
        peakRssBytes,
        get logs() {
          return stderr.split('\n').filter(Boolean).map(parseWords);
        },
        get words() {
          return parseWords(all.toString().trimEnd());
        },
      });
    });
  });
}

function peakRssOf(pid: number | undefined): number {
  try {
    const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(match?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
