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
      for (const step of steps) {
        signal.throwIfAborted();
        if (!(await show(step, lab, dir, output, signal))) failed.push(step.title);
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
  { title: 'A file over, verified on both sides', args: ['windows', 'put', 'notes.txt', 'C:\\notes.txt', '--verify'] },
  { title: 'And back', args: ['windows', 'get', 'C:\\notes.txt', 'back.txt', '--verify'] },
  { title: 'All about the host', args: ['windows', 'status'] },
  { title: 'What the desktop shows', args: ['windows', 'screenshot', '--out', 'desktop.png'] },
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

/** Prints a command line, runs it, and tells whether it ended as it should. */
async function show(step: Step, lab: Lab, dir: string, output: Output, signal: AbortSignal): Promise<boolean> {
  const { title, args, exitCode = exitCodes.success, fault } = step;
  const shown = args.map((word) => (/^[\w./:=\\-]+$/.test(word) ? word : `'${word}'`)).join(' ');
  await output.text(`\n# ${title}${fault === undefined ? '' : ` (fault: ${fault})`}\n$ win-automation ${shown}\n`);
  if (fault !== undefined) await lab.setFault(fault, true);
  const ended = await runOurselves(args, { ...lab.env, ...step.env }, dir, signal);
  if (fault !== undefined) await lab.setFault(fault, false);
  if (ended === exitCode) return true;
  await output.text(`FAILED: it ended with ${ended}, not ${exitCode}\n`);
  return false;
}

/** Runs this very program: the executable, or the runtime with its source. */
function runOurselves(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
  signal: AbortSignal,
) {
  const script = process.argv[1] ?? '';
  const isExecutable = script.startsWith('/$bunfs/') || script === process.execPath;
  const base = { PATH: process.env['PATH'] ?? '', HOME: cwd, WIN_AUTOMATION_STATE_DIR: join(cwd, 'state') };
  return new Promise<number | null>((resolve, reject) => {
    const child = spawn(process.execPath, [...(isExecutable ? [] : [script]), ...args], {
      cwd,
      env: { ...base, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
      signal,
    });
    child.once('error', reject);
    child.once('exit', resolve);
  });
}
