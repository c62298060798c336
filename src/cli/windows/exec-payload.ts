import * as v from 'valibot';
import type { CapturedText } from '../../windows/capture.ts';
import { capturedDocument } from '../../windows/captured-document.ts';
import type { ExecOutcome } from '../../windows/exec.ts';
import { objectRecordSchema } from '../../windows/object-records.ts';
import type { Output, Words } from '../output.ts';

const text = v.strictObject({
  text: v.string(),
  /** What the bytes were decoded from, such as `utf-8` or `ibm437`; `base64` where they are no text. */
  encoding: v.string(),
  /** All that the command wrote, whether kept or not. */
  size_bytes: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** Whether only the first 8 MiB were kept. */
  truncated: v.boolean(),
});

/** What `windows exec --json` prints. */
export const execPayloadSchema = v.strictObject({
  state: v.picklist(['completed', 'failed', 'skipped', 'timeout', 'cancelled']),
  host: v.string(),
  /** Null if a signal ended the command, or it was stopped. */
  exit_code: v.nullable(v.number()),
  signal: v.nullable(v.string()),
  duration_ms: v.number(),
  /** Only where something that it started still held its streams, and was left alone. */
  detached: v.optional(v.literal(true)),
  stdout: text,
  stderr: text,
  /** With `--objects`: what the lines without `--json` have, up to 8 MiB of JSON. */
  objects: v.optional(v.array(objectRecordSchema)),
  /** Whether objects were left out. */
  truncated: v.optional(v.boolean()),
});

export type ExecPayload = v.InferOutput<typeof execPayloadSchema>;

/** The payload of one executed command. */
export function execPayload(
  host: string,
  outcome: ExecOutcome,
  stdout: CapturedText,
  stderr: CapturedText,
): ExecPayload {
  return {
    state: outcome.state,
    host,
    exit_code: outcome.status?.exitCode ?? null,
    signal: outcome.status?.signal ?? null,
    duration_ms: outcome.durationMs,
    ...(outcome.isDetached ? { detached: true as const } : {}),
    stdout: capturedDocument(stdout),
    stderr: capturedDocument(stderr),
  };
}

/** The same as `key=value` words: `stdout_base64` and `stderr_base64` stand in for what is no text. */
export function execWords(payload: ExecPayload): Words {
  const { state, exit_code, signal, duration_ms, detached, stdout, stderr } = payload;
  const named = (name: string, part: ExecPayload['stdout']) => ({
    [part.encoding === 'base64' ? `${name}_base64` : name]: part.text,
  });
  return {
    state,
    exit_code: exit_code ?? '',
    ...(signal === null ? {} : { signal }),
    duration_ms,
    ...(detached ? { detached } : {}),
    ...named('stdout', stdout),
    ...named('stderr', stderr),
    ...(stdout.truncated || stderr.truncated ? { truncated: true } : {}),
  };
}

/** The last line of `--objects`. */
export const endRecord = ({ state, status, durationMs, isDetached }: ExecOutcome) => ({
  stream: 'end',
  state,
  exit_code: status?.exitCode ?? null,
  duration_ms: durationMs,
  ...(isDetached ? { detached: true } : {}),
});

/** One line of `--objects`. @param host is told where there are many */
export function writeRecord(output: Output, record: object, host: string | undefined): Promise<void> {
  return output.text(`${JSON.stringify(host === undefined ? record : { host, ...record })}\n`);
}
