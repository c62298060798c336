import type { ClientChannel } from 'ssh2';

/** How a remote command ended: by itself with a code, or by a signal. */
export interface ExitStatus {
  readonly exitCode: number | null;
  /** Without `SIG`, such as `KILL`. */
  readonly signal: string | null;
}

/** What a command's channel says of its end. */
export interface CommandEnd {
  /** Settles when the channel is closed: with the status that the server sent, or an error where it sent none. */
  readonly exited: Promise<ExitStatus>;
  /** Settles when the server sends the status, which may be long before: what the command started may hold its streams. */
  readonly status: Promise<ExitStatus>;
}

/**
 * Listens for the end of a command. Call it in the very turn in which the channel opens: a short command's status may stand in
 * the same packet.
 *
 * @param lost makes the error; called a tick after the close, when the connection knows whether it was lost
 */
export function commandEndOf(channel: ClientChannel, lost: () => Error): CommandEnd {
  const told = Promise.withResolvers<ExitStatus>();
  const exited = new Promise<ExitStatus>((resolve, reject) => {
    let status: ExitStatus | undefined;
    channel.on('exit', (code: number | null, signalName?: string) => {
      status = { exitCode: code, signal: signalName?.replace(/^SIG/, '') ?? null };
      told.resolve(status);
    });
    channel.on('close', () => {
      if (status !== undefined) resolve(status);
      else setImmediate(() => reject(lost()));
    });
  });
  // Whoever gave the command up before does not care any more.
  exited.catch(() => undefined);
  return { exited, status: told.promise };
}
