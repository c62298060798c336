import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ClientChannel } from 'ssh2';
import { abortable, sleep } from '../core/deadline.ts';
import { AutomationError } from '../core/errors.ts';
import { keepMemoryLow } from '../core/memory.ts';
import type { SshConnection } from './connection.ts';
import type { ExitStatus } from './exit-status.ts';
import { OutputWatch } from './output-watch.ts';

const termGraceMs = 500;
const killGraceMs = 500;
const defaultDrainMs = 1_000;
/** A reader of ours that takes nothing is not waited for without end. */
const leaveGraceMs = 5_000;

export interface CommandStreams {
  /** Where the command reads; without it, its standard input is at its end at once. */
  readonly stdin?: Readable | undefined;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

export interface CommandOptions {
  /** Written to the command's standard input before all else. */
  readonly input?: Buffer | undefined;
  /** Ends the remote processes on a host that knows no signals. It has a deadline of its own and never throws. */
  readonly killTree?: (() => Promise<void>) | undefined;
  /**
   * Milliseconds without a byte after which a command that has ended is not waited for any more, though something that it
   * started still holds its streams. 0 waits until they close. 1 s unless told.
   */
  readonly drainMs?: number | undefined;
}

export interface CommandResult {
  /** Undefined if the command was stopped before it ended. */
  readonly status: ExitStatus | undefined;
  /** The signal's reason, if that is what stopped it. */
  readonly stoppedBy: unknown;
  readonly durationMs: number;
  /** Whether something that it started still held its streams when it had ended, and was left alone. */
  readonly isDetached: boolean;
}

/**
 * Runs one command line in the host's own shell and hands its output to `streams` as it comes, no faster than they take
 * it. Once the signal is aborted the remote process is ended too, before this returns.
 *
 * @throws AutomationError `ssh_connection_lost`, `ssh_channel_refused`, `io_failed` (nobody takes the output), or the
 *   signal's reason where the command was never started
 */
export async function runCommand(
  connection: SshConnection,
  commandLine: string,
  streams: CommandStreams,
  signal: AbortSignal,
  { input, killTree, drainMs = defaultDrainMs }: CommandOptions = {},
): Promise<CommandResult> {
  signal.throwIfAborted();
  const startedMs = performance.now();
  const ended = (status: ExitStatus | undefined, isDetached: boolean, stoppedBy?: unknown): CommandResult => {
    return { status, stoppedBy, isDetached, durationMs: Math.round(performance.now() - startedMs) };
  };
  const { channel, exited, status: told } = await openUnlessAborted(connection, commandLine, signal, killTree);
  feed(channel, input, streams.stdin);
  const watch = new OutputWatch();
  const pumped = Promise.all([pump(channel, watch, streams.stdout), pump(channel.stderr, watch, streams.stderr)]);
  const over = new AbortController();
  let known: ExitStatus | undefined;
  const detached = told.then(async (status) => {
    known = status;
    await silence(watch, drainMs, over.signal);
    return status;
  });
  // Once all is over it is no news that nobody fell silent.
  detached.catch(() => undefined);
  const closed = Promise.all([exited, pumped]).then(() => undefined);
  try {
    const status = await abortable(Promise.race([closed, detached]), signal);
    if (status === undefined) return ended(await exited, false);
    return ended(await leave(channel, watch, pumped, status), true);
  } catch (error) {
    // A command that has ended has its exit code, whatever becomes of those who hold its streams.
    if (signal.aborted && known !== undefined) return ended(await leave(channel, watch, pumped, known), true);
    await stopCommand(connection, channel, exited, killTree);
    if (signal.aborted) return ended(undefined, false, signal.reason);
    throw error;
  } finally {
    over.abort();
    watch.end();
    streams.stdin?.unpipe(channel);
    // It may still reject after the command was given up; that is then no news.
    pumped.catch(() => undefined);
  }
}

/** Resolves once nothing came for so long; never for 0. */
async function silence(watch: OutputWatch, drainMs: number, signal: AbortSignal): Promise<void> {
  watch.touch();
  for (let leftMs = drainMs; leftMs > 0; leftMs = drainMs - watch.silentMs) await sleep(leftMs, signal);
  if (drainMs === 0) await abortable(new Promise<never>(() => undefined), signal);
}

/** Leaves alone what still holds the streams of a command that has ended; what came until now is handed on. */
async function leave(
  channel: ClientChannel,
  watch: OutputWatch,
  pumped: Promise<unknown>,
  status: ExitStatus,
): Promise<ExitStatus> {
  watch.end();
  await Promise.race([pumped, sleep(leaveGraceMs)]);
  channel.close();
  return status;
}

/** Opens a command; one that was given up while it was being opened must not run on unseen. */
async function openUnlessAborted(
  connection: SshConnection,
  commandLine: string,
  signal: AbortSignal,
  killTree: (() => Promise<void>) | undefined,
) {
  const opening = connection.openCommand(commandLine);
  try {
    return await abortable(opening, signal);
  } catch (error) {
    const stopped = opening.then(
      ({ channel, exited }) => stopCommand(connection, channel, exited, killTree),
      () => undefined,
    );
    if (signal.aborted) await Promise.race([stopped, sleep(termGraceMs + killGraceMs)]);
    throw error;
  }
}

function feed(channel: ClientChannel, input: Buffer | undefined, stdin: Readable | undefined): void {
  // The far end may close its input before it has read all: `true` does, and it is no error of ours.
  channel.on('error', () => undefined);
  if (input !== undefined) channel.write(input);
  if (stdin === undefined) channel.end();
  else stdin.pipe(channel);
}

async function pump(from: Readable, watch: OutputWatch, to: Writable): Promise<void> {
  try {
    await pipeline(watch.watch(from), keepMemoryLow, to, { end: false });
  } catch (error) {
    // A channel that the far end cut is reported by `exitStatusOf`, which knows why.
    if (!to.errored && !to.destroyed) return;
    throw new AutomationError('io_failed', 'nobody reads our output any more', { cause: error });
  }
}

/**
 * Ends the remote process, since OpenSSH keeps a process running whose channel is merely closed: by TERM and half a second
 * later KILL to its whole process group (RFC 4254, section 6.9), and by `killTree` where no signal ended it, as on Windows,
 * which knows none; then the channel.
 */
async function stopCommand(
  connection: SshConnection,
  channel: ClientChannel,
  exited: Promise<ExitStatus>,
  killTree: (() => Promise<void>) | undefined,
): Promise<void> {
  const gone = exited.then(
    () => true,
    () => true,
  );
  // Output that nobody takes any more would keep the close from arriving.
  channel.resume();
  channel.stderr.resume();
  const within = (graceMs: number) => Promise.race([gone, sleep(graceMs).then(() => false)]);
  if (!connection.isOpen) return;
  if (!connection.isWindows) {
    sendSignal(channel, 'TERM');
    if (await within(termGraceMs)) return;
    sendSignal(channel, 'KILL');
    if (await within(killGraceMs)) return;
  }
  if (killTree !== undefined) {
    await killTree();
    await within(killGraceMs);
  }
  channel.close();
}

/**
 * Sends a signal request. ssh2's own `channel.signal` does nothing once our end of the input is closed, which is the
 * rule here; RFC 4254 only forbids data then, not requests.
 */
function sendSignal(channel: ClientChannel, name: 'TERM' | 'KILL'): void {
  const { outgoing, _client } = channel as unknown as SignalChannel;
  if (outgoing.state === 'open' || outgoing.state === 'eof') _client._protocol.signal(outgoing.id, name);
}

/** What a signal request takes of ssh2's inside. */
interface SignalChannel {
  readonly outgoing: { readonly id: number; readonly state: string };
  readonly _client: { readonly _protocol: { signal(channelId: number, name: string): void } };
}
