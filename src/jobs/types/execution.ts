import { Writable } from 'node:stream';
import { AutomationError, messageOf } from '../../core/errors.ts';
import { Capture } from '../../windows/capture.ts';
import { capturedDocument } from '../../windows/captured-document.ts';
import type { CommandStreams } from '../../windows/command.ts';
import type { ExecOutcome } from '../../windows/exec.ts';
import { ObjectRecords, RecordCollector } from '../../windows/object-records.ts';
import type { JobContext, JobOutcome } from '../job-type.ts';

/**
 * Runs something on Windows whose output goes to `ssh/stdout.txt` and `ssh/stderr.txt` as it comes, and whose exit code to
 * `ssh/exit_code.txt`.
 *
 * @param objectMark what records of objects are known by, if standard output is such: then they are lines of JSON there, and in
 *   the result
 */
export async function runExecution(
  context: JobContext,
  objectMark: string | undefined,
  run: (streams: CommandStreams) => Promise<ExecOutcome>,
): Promise<JobOutcome> {
  const { artifacts, captureBytes, windows } = context;
  const [stdout, stderr] = [new Capture(captureBytes), new Capture(captureBytes)];
  const files = {
    stdout: await artifacts.stream('ssh', 'ssh/stdout.txt'),
    stderr: await artifacts.stream('ssh', 'ssh/stderr.txt'),
  };
  const isObjects = objectMark !== undefined;
  const collected = new RecordCollector(captureBytes);
  const toFile = both(files.stdout);
  const streams = {
    stdout: isObjects
      ? new ObjectRecords('output', objectMark, async (record) => {
          collected.add(record);
          await written(toFile, `${JSON.stringify(record)}\n`);
        })
      : both(files.stdout, stdout),
    stderr: isObjects
      ? both(files.stderr, stderr, new ObjectRecords('error', objectMark, async (record) => collected.add(record)))
      : both(files.stderr, stderr),
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
    ...(outcome.isDetached ? { detached: true } : {}),
    stdout: capturedDocument(await windows.readText(stdout, outcome.isPowershell)),
    stderr: capturedDocument(await windows.readText(stderr, outcome.isPowershell)),
    ...(isObjects ? { objects: collected.records, truncated: collected.isTruncated } : {}),
  };
  const isSuccess = outcome.state === 'completed' || outcome.state === 'skipped';
  if (isSuccess) return { isSuccess, result };
  if (outcome.status === undefined) return { isSuccess, result, stoppedBy: outcome.stoppedBy };
  const how = exitCode === null ? `signal ${outcome.status.signal}` : `exit code ${exitCode}`;
  return { isSuccess, result, error: { code: 'remote_failed', message: `it ended with ${how}` } };
}

/** One stream for several sinks, at the pace of the file. */
function both(file: Writable, ...others: readonly Writable[]): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      for (const other of others) other.write(chunk);
      // A disk that is full ends the command instead of losing its output.
      file.write(chunk, (error) =>
        done(error ? new AutomationError('io_failed', messageOf(error), { cause: error }) : undefined),
      );
    },
    final: (done) => {
      Promise.all(others.map(ended)).then(() => done(), done);
    },
  });
}

const written = (stream: Writable, text: string) =>
  new Promise<void>((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });

const ended = (stream: Writable) => new Promise<void>((resolve) => stream.end(() => resolve()));
