import process from 'node:process';
import { Deadline } from '../../core/deadline.ts';
import { durationFlag } from '../../core/duration.ts';
import { AutomationError } from '../../core/errors.ts';
import { exitCodeOf, exitCodes } from '../../core/exit-codes.ts';
import { Capture } from '../../windows/capture.ts';
import { type ExecOutcome, execute } from '../../windows/exec.ts';
import { sshTarget } from '../../windows/target.ts';
import { defineAction } from '../command.ts';
import { execPayload, execWords } from './exec-payload.ts';

export default defineAction({
  name: 'exec',
  description: "Runs a command in the host's own shell; the words behind -- are joined by spaces, as ssh does",
  wordsHint: 'COMMAND…',
  examples: [
    'windows exec -- hostname',
    'windows exec --raw -- type C:\\Windows\\win.ini',
    "windows exec --idempotent --idempotent-check 'if (-not (Test-Path C:\\app)) { exit 1 }' -- mkdir C:\\app",
  ],
  args: {
    raw: { type: 'boolean', description: 'pass both streams through, byte for byte, instead of a payload' },
    stdin: { type: 'boolean', description: 'forward standard input' },
    timeout: { type: 'string', valueHint: 'D', description: 'deadline of the whole (default: hatchet.job_timeout)' },
    'propagate-exit': { type: 'boolean', description: "end with the remote command's own exit code" },
    idempotent: { type: 'boolean', description: 'skip the command where the check holds' },
    'idempotent-check': {
      type: 'string',
      valueHint: 'PS',
      description: 'PowerShell that exits 0 if there is nothing to do',
    },
  },
  run: async (invocation, args) => {
    const command = invocation.words.join(' ');
    if (command.trim() === '') throw new AutomationError('usage', 'no command: windows exec -- COMMAND…');
    if ((args.idempotent ?? false) !== (args['idempotent-check'] !== undefined)) {
      throw new AutomationError('usage', '--idempotent and --idempotent-check PS go together');
    }
    const timeoutFlagMs = args.timeout === undefined ? undefined : durationFlag('timeout', args.timeout);
    const { loaded, logger, host } = await invocation.open();
    using deadline = new Deadline(timeoutFlagMs ?? loaded.config.hatchet.job_timeout, 'the command', invocation.signal);
    const captured = { stdout: new Capture(), stderr: new Capture() };
    const outcome = await execute(
      sshTarget(loaded, host),
      {
        command,
        idempotentCheck: args['idempotent-check'],
        streams: {
          ...(args.raw ? { stdout: process.stdout, stderr: process.stderr } : captured),
          ...(args.stdin ? { stdin: process.stdin } : {}),
        },
      },
      { logger: logger.child('windows'), signal: deadline.signal },
    );
    if (!args.raw) {
      const payload = execPayload(host, outcome, captured.stdout.read(), captured.stderr.read());
      await invocation.output.payload(execWords(payload), payload);
    }
    if (outcome.status === undefined) logger.error(invocation.op, String((outcome.stoppedBy as Error).message));
    return exitCodeFor(outcome, args['propagate-exit'] ?? false);
  },
});

function exitCodeFor({ state, status, stoppedBy }: ExecOutcome, isPropagated: boolean): number {
  if (status === undefined) return exitCodeOf(stoppedBy);
  if (state === 'skipped' || state === 'completed') return exitCodes.success;
  if (!isPropagated) return exitCodes.failure;
  // As shells do for a command that a signal ended, where the signal's number is known.
  return status.exitCode ?? 128 + (signalNumbers[status.signal ?? ''] ?? 0);
}

const signalNumbers: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ABRT: 6,
  KILL: 9,
  SEGV: 11,
  PIPE: 13,
  TERM: 15,
};
