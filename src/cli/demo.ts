import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { exitCodes } from '../core/exit-codes.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import type { Fault } from '../lab/state.ts';
import { defineAction } from './command.ts';
import type { Output } from './output.ts';

/** One command of the tour. */
interface Step {
  readonly title: string;
  readonly args: readonly string[];
  readonly exitCode?: number;
  /** What is broken before it and mended after it. */
  readonly fault?: Fault;
  readonly env?: Readonly<Record<string, string>>;
  /** Passed over where there is no browser on this machine. */
  readonly needs?: 'browser';
  /** The word that stands for the id of this step's job in the steps behind it. */
  readonly jobAs?: string;
}

export default defineAction({
  name: 'demo',
  description: 'Starts a simulated Windows host and shows every command at work on it; leaves nothing behind',
  examples: ['demo'],
  run: async ({ output, signal }) => {
    const dir = await mkdtemp(join(tmpdir(), 'win-automation-demo-'));
    const lab = await startLab({ powershellStartMs: 300, dir: join(dir, 'keys'), note: () => undefined });
    const failed: string[] = [];
    try {
      await writeFile(
        join(dir, 'hello.ps1'),
        'param([string]$Name)\nWrite-Output "Hello $Name from $env:COMPUTERNAME"\n',
      );
      await writeFile(join(dir, 'notes.txt'), 'from Linux\n');
      await writeFile(join(dir, 'flow.mjs'), flow);
      const tour = new Tour(lab, dir, output, signal);
      await using _worker = tour.startWorker();
      for (const step of steps) {
        signal.throwIfAborted();
        if (!(await tour.show(step))) failed.push(step.title);
      }
    } finally {
      await lab.close();
      await rm(dir, { recursive: true, force: true });
    }
    const summary = {
      state: failed.length === 0 ? 'completed' : 'failed',
      steps: steps.length,
      failed: failed.join(', '),
    };
    await output.payload(summary, summary);
    return failed.length === 0 ? exitCodes.success : exitCodes.failure;
  },
});

const steps: readonly Step[] = [
  { title: 'Is everything there?', args: ['doctor'] },
  { title: 'A command in the shell of the host', args: ['windows', 'exec', '--', 'hostname & ver'] },
  { title: 'Its exit code', args: ['windows', 'exec', '--propagate-exit', '--', 'exit 7'], exitCode: 7 },
  {
    title: 'A command that takes too long is ended on the host as well',
    args: ['windows', 'exec', '--timeout', '1s', '--', 'ping -n 60 127.0.0.1'],
    exitCode: exitCodes.timeout,
  },
  {
    title: 'A command that is skipped where it has nothing to do',
    args: [
      'windows',
      'exec',
      '--idempotent',
      '--idempotent-check',
      'if (-not (Test-Path C:\\Windows)) { exit 1 }',
      '--',
      'echo again',
    ],
  },
  { title: 'A PowerShell script with a parameter', args: ['windows', 'script', 'hello.ps1', '--param', 'Name=Ada'] },
  {
    title: "PowerShell's objects as data",
    args: ['windows', 'exec', '--shell', 'powershell', '--objects', '--', '$env:COMPUTERNAME; "two"'],
  },
  { title: 'A file over, verified on both sides', args: ['windows', 'put', 'notes.txt', 'C:\\notes.txt', '--verify'] },
  { title: 'And back', args: ['windows', 'get', 'C:\\notes.txt', 'back.txt', '--verify'] },
  { title: 'All about the host', args: ['windows', 'status'] },
  { title: 'What the desktop shows', args: ['windows', 'screenshot', '--out', 'desktop.png'] },
  { title: 'Aloha, each half by itself', args: ['aloha', 'health'] },
  {
    title: 'A task for the GUI agent, followed to its end by its log',
    args: ['aloha', 'run', '--task', 'Open the door', '--max-steps', '10'],
  },
  {
    title: 'A run that takes all its steps is no success',
    args: ['aloha', 'run', '--task', 'Open the door', '--max-steps', '2'],
    exitCode: exitCodes.failure,
  },
  {
    title: 'The browser on Windows, with a screenshot and a trace',
    args: [
      'playwright',
      'run',
      '--url',
      'data:text/html,<title>hello</title><h1>hello</h1>',
      '--screenshot',
      '--trace',
    ],
    needs: 'browser',
  },
  { title: 'A flow of your own', args: ['playwright', 'run', 'flow.mjs', '--param', 'name=Ada'], needs: 'browser' },
  {
    title: 'A job for the worker, watched to its end',
    args: ['jobs', 'enqueue', '--type', 'windows.exec', '--idempotency-key', 'demo', '--watch', '--', 'hostname'],
  },
  {
    title: 'The same key is the same job',
    args: ['jobs', 'enqueue', '--type', 'windows.exec', '--idempotency-key', 'demo', '--', 'hostname'],
    jobAs: 'JOB',
  },
  { title: 'Once more, under a new id', args: ['jobs', 'replay', '--id', 'JOB'] },
  {
    title: 'A job that takes long',
    args: ['jobs', 'enqueue', '--type', 'windows.exec', '--', 'ping -n 60 127.0.0.1'],
    jobAs: 'LONG',
  },
  { title: 'Cancelled, and what it started on Windows with it', args: ['jobs', 'cancel', '--id', 'LONG'] },
  { title: 'Watched to its end', args: ['jobs', 'watch', '--id', 'LONG'], exitCode: exitCodes.failure },
  { title: 'All jobs', args: ['jobs', 'list'] },
  { title: 'What a job left', args: ['artifacts', 'list', '--job', 'JOB'] },
  { title: 'Is it still what it was?', args: ['artifacts', 'verify', '--job', 'JOB'] },
  { title: 'One page about it', args: ['artifacts', 'report', '--job', 'JOB', '--out', 'report.html'] },
  { title: 'Is all well on the Windows side?', args: ['supervisor', 'run', '--once'] },
  {
    title: 'The firewall swallows: one pass makes the rules',
    args: ['supervisor', 'run', '--once'],
    fault: 'firewall',
    env: { WIN_AUTOMATION_TIMEOUT: '1s' },
  },
  {
    title: 'The Aloha client is gone: one pass starts it',
    args: ['supervisor', 'run', '--once'],
    fault: 'aloha-client-dead',
  },
  { title: 'What was repaired when', args: ['supervisor', 'status'] },
  {
    title: 'A locked desktop is told, not photographed',
    args: ['windows', 'screenshot', '--out', 'locked.png'],
    exitCode: exitCodes.failure,
    fault: 'locked',
  },
  {
    title: 'A firewall that swallows is told from a dead port',
    args: ['doctor'],
    exitCode: exitCodes.timeout,
    fault: 'firewall',
    env: { WIN_AUTOMATION_TIMEOUT: '1s' },
  },
  {
    title: 'A host key that changed is refused',
    args: ['windows', 'exec', '--', 'hostname'],
    exitCode: exitCodes.unavailable,
    fault: 'host-key-changed',
  },
];

/** A flow as a user would write it. */
const flow = `export default async ({ page, params }) => {
  await page.setContent('<title>Hello ' + params.name + '</title>');
  return { title: await page.title() };
};
`;

/** Shows one step after another; what a step made, the next ones can use. */
class Tour {
  readonly #lab: Lab;
  readonly #dir: string;
  readonly #output: Output;
  readonly #signal: AbortSignal;
  readonly #jobs = new Map<string, string>();

  constructor(lab: Lab, dir: string, output: Output, signal: AbortSignal) {
    this.#lab = lab;
    this.#dir = dir;
    this.#output = output;
    this.#signal = signal;
  }

  /** A worker beside the tour, which ends with it. */
  startWorker(): AsyncDisposable {
    const child = this.#start(['worker', '--quiet'], {}, 'ignore');
    const gone = new Promise((resolve) => child.once('exit', resolve));
    return {
      [Symbol.asyncDispose]: async () => {
        child.kill('SIGTERM');
        await gone;
      },
    };
  }

  /** Prints a command line, runs it, and tells whether it ended as it should. */
  async show(step: Step): Promise<boolean> {
    const { title, exitCode = exitCodes.success, fault, needs } = step;
    const args = step.args.map((word) => this.#jobs.get(word) ?? word);
    const shown = args.map((word) => (/^[\w./:=\\-]+$/.test(word) ? word : `'${word}'`)).join(' ');
    await this.#output.text(`\n# ${title}${fault === undefined ? '' : ` (fault: ${fault})`}\n`);
    if (needs === 'browser' && !this.#lab.hasBrowser) {
      await this.#output.text('passed over: no Chromium on this machine\n');
      return true;
    }
    await this.#output.text(`$ win-automation ${shown}\n`);
    if (fault !== undefined) await this.#lab.setFault(fault, true);
    const ended = await this.#run(args, step);
    if (fault !== undefined) await this.#lab.setFault(fault, false);
    if (ended === exitCode) return true;
    await this.#output.text(`FAILED: it ended with ${ended}, not ${exitCode}\n`);
    return false;
  }

  #run(args: readonly string[], { env = {}, jobAs }: Step): Promise<number | null> {
    return new Promise((resolve, reject) => {
      const child = this.#start(args, env, 'pipe');
      let printed = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        printed += chunk;
        process.stdout.write(chunk);
      });
      child.once('error', reject);
      child.once('close', (exitCode) => {
        const jobId = /\bjob_id=(\S+)/.exec(printed)?.[1];
        if (jobAs !== undefined && jobId !== undefined) this.#jobs.set(jobAs, jobId);
        resolve(exitCode);
      });
    });
  }

  /** Starts this very program: the executable, or the runtime with its source. */
  #start(args: readonly string[], env: Readonly<Record<string, string>>, stdout: 'ignore' | 'pipe') {
    const script = process.argv[1] ?? '';
    const isExecutable = script.startsWith('/$bunfs/') || script === process.execPath;
    const base = {
      PATH: process.env['PATH'] ?? '',
      HOME: this.#dir,
      WIN_AUTOMATION_STATE_DIR: join(this.#dir, 'state'),
    };
    return spawn(process.execPath, [...(isExecutable ? [] : [script]), ...args], {
      cwd: this.#dir,
      env: { ...base, ...this.#lab.env, ...env },
      stdio: ['ignore', stdout, 'inherit'],
      signal: this.#signal,
    });
  }
}
