import type { ClientChannel } from 'ssh2';

/** How a remote command ended: by itself with a code, or by a signal. */
export interface ExitStatus {
  readonly exitCode: number | null;
  /** Without `SIG`, such as `KILL`. */
  readonly signal: string | null;
}

/**
 * Settles when the channel is closed: with the status that the server sent, or an error where it sent none. Call it in the
 * very turn in which the channel opens: a short command's status may stand in the same packet.
 *
 * @param lost makes the error; called a tick after the close, when the connection knows whether it was lost
 */
export function exitStatusOf(channel: ClientChannel, lost: () => Error): Promise<ExitStatus> {
  const exited = new Promise<ExitStatus>((resolve, reject) => {
    let status: ExitStatus | undefined;
    channel.on('exit', (code: number | null, signalName?: string) => {
      status = { exitCode: code, signal: signalName?.replace(/^SIG/, '') ?? null };
    });
    channel.on('close', () => {
      if (status !== undefined) resolve(status);
      else setImmediate(() => reject(lost()));
    });
  });
  // Whoever gave the command up before does not care any more.
  exited.catch(() => undefined);
  return exited;
}
