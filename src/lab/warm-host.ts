import { messageOf } from '../core/errors.ts';
import type { PowershellRun } from './powershell.ts';

/** Runs a script whose text is given, and returns what it prints. */
export type RunScript = (text: string, argument: string, run: PowershellRun) => Promise<string>;

/** Speaks host.ps1's protocol on standard input and output. @returns the exit code */
export async function serveWarm(run: PowershellRun, runScript: RunScript): Promise<number> {
  const { terminal, process } = run;
  const send = (message: unknown) => terminal.out(`${JSON.stringify(message)}\n`);
  send({ ready: true, pid: process.pid });
  const cancelled = new Set<number>();
  const running = new Set<Promise<void>>();
  while (!process.killed.signal.aborted) {
    const { done, value } = await terminal.lines.next();
    if (done) break;
    const request = JSON.parse(value);
    if (request.op === 'exit') break;
    if (request.op === 'cancel') cancelled.add(request.id);
    if (request.op !== 'run') continue;
    const work = runOne(request, run, runScript, send, cancelled).finally(() => running.delete(work));
    running.add(work);
  }
  await Promise.all(running);
  return 0;
}

async function runOne(
  request: { id: number; script: string; argument: string },
  run: PowershellRun,
  runScript: RunScript,
  send: (message: unknown) => void,
  cancelled: ReadonlySet<number>,
): Promise<void> {
  const { id } = request;
  try {
    const output = await runScript(Buffer.from(request.script, 'base64').toString('utf8'), request.argument, run);
    if (cancelled.has(id)) throw new Error('The pipeline has been stopped.');
    send({ id, done: true, ok: true, error: '', output });
  } catch (error) {
    send({ id, done: true, ok: false, error: messageOf(error) });
  }
}
