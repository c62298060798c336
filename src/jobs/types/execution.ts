import { Writable } from 'node:stream';
import * as v from 'valibot';
import { AutomationError, messageOf } from '../../core/errors.ts';
import { Capture } from '../../windows/capture.ts';
import type { CommandStreams } from '../../windows/command.ts';
import type { ExecOutcome } from '../../windows/exec.ts';
import { capturedDocument, withoutClixml } from '../../windows/powershell/captured-document.ts';
import type { JobContext, JobOutcome } from '../job-type.ts';

/** PowerShell that exits 0 where there is nothing to do. */
export const idempotentCheck = v.optional(v.pipe(v.string(), v.minLength(1)));

/**
 * Runs something on Windows whose output goes to `ssh/stdout.txt` and `ssh/stderr.txt` as it comes, and whose exit code to
 * `ssh/exit_code.txt`.
 */
export async function runExecution(
  context: JobContext,
  run: (streams: CommandStreams) => Promise<ExecOutcome>,
): Promise<JobOutcome> {
  const { artifacts, captureBytes } = context;
  const [stdout, stderr] = [new Capture(captureBytes), new Capture(captureBytes)];
  const streams = {
    stdout: both(await artifacts.stream('ssh', 'ssh/stdout.txt'), stdout),
    stderr: both(await artifacts.stream('ssh', 'ssh/stderr.txt'), stderr),
  };
  const outcome = await run(streams);
  await Promise.all([ended(streams.stdout), ended(streams.stderr)]);
  const exitCode = outcome.status?.exitCode ?? null;
  await artifacts.text('ssh', 'ssh/exit_code.txt', `${exitCode ?? ''}\n`);
  const result = {
    state: outcome.state,
    exit_code: exitCode,
    signal: outcome.status?.signal ?? null,
    duration_ms: outcome.durationMs,
    stdout: capturedDocument(stdout.read()),
    stderr: capturedDocument(withoutClixml(stderr.read())),
  };
  const isSuccess = outcome.state === 'completed' || outcome.state === 'skipped';
  if (isSuccess) return { isSuccess, result };
  if (outcome.status === undefined) return { isSuccess, result, stoppedBy: outcome.stoppedBy };
  const how = exitCode === null ? `signal ${outcome.status.signal}` : `exit code ${exitCode}`;
  return { isSuccess, result, error: { code: 'remote_failed', message: `it ended with ${how}` } };
}

/** One stream for two sinks, at the pace of the file. */
function both(file: Writable, capture: Writable): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      capture.write(chunk);
      // A disk that is full ends the command instead of losing its output.
      file.write(chunk, (error) =>
        done(error ? new AutomationError('io_failed', messageOf(error), { cause: error }) : undefined),
      );
    },
  });
}

const ended = (stream: Writable) => new Promise<void>((resolve) => stream.end(() => resolve()));
