import { messageOf } from '../core/errors.ts';
import {
  answerLine,
  type PersistentAnswer,
  type PersistentRequest,
  parseRequest,
} from '../windows/powershell/persistent-protocol.ts';
import type { PowershellRun } from './powershell.ts';

/** Runs a script whose text is given, and returns what it prints. */
export type RunScript = (text: string, argument: string, run: PowershellRun) => Promise<string>;

type RunRequest = Extract<PersistentRequest, { op: 'run' }>;

/**
 * Speaks host.ps1's protocol on standard input and output.
 *
 * @param firstLine what loader.ps1 takes: the only text that the lab knows
 * @returns the exit code
 */
export async function serveWarm(run: PowershellRun, runScript: RunScript, firstLine: string): Promise<number> {
  const { terminal, process } = run;
  const first = await terminal.lines.next();
  if (first.done || first.value !== firstLine) throw new Error('the lab does not know that text');
  const send = (answer: PersistentAnswer) => terminal.out(`${answerLine(answer)}\n`);
  send({ kind: 'ready', pid: process.pid });
  const running = new Map<number, Promise<void>>();
  while (!process.killed.signal.aborted) {
    const { done, value } = await terminal.lines.next();
    if (done) break;
    const request = parseRequest(value);
    if (request?.op === 'exit') break;
    if (request === undefined) send({ kind: 'broken', text: `no such request: ${value.slice(0, 100)}` });
    else if (request.op === 'run') {
      // What was cancelled has been answered already.
      const end = (answers: readonly PersistentAnswer[]) => running.delete(request.id) && answers.forEach(send);
      running.set(
        request.id,
        answersTo(request, run, runScript)
          .then(end)
          .then(() => undefined),
      );
    } else if (running.delete(request.id)) send({ kind: 'done', id: request.id, state: 'cancelled', text: '' });
  }
  await Promise.all(running.values());
  return 0;
}

async function answersTo(
  { id, script, argument }: RunRequest,
  run: PowershellRun,
  runScript: RunScript,
): Promise<PersistentAnswer[]> {
  try {
    const bytes = Buffer.from(await runScript(script, argument, run), 'utf8');
    return [
      { kind: 'out', id, bytes },
      { kind: 'done', id, state: 'ok', text: '' },
    ];
  } catch (error) {
    return [{ kind: 'done', id, state: 'failed', text: messageOf(error) }];
  }
}
