import { isTimeout } from '../core/deadline.ts';
import { AutomationError } from '../core/errors.ts';
import type { WindowsHost } from '../windows/host.ts';
import { joinRemote, sftpPath } from '../windows/paths.ts';

/** The file in `aloha.dir` that the client's standard error goes to. */
const logName = 'client.log';
/** The most that is read at once: a client that logs more than that between two looks is read in several. */
const maxReadBytes = 1024 * 1024;

/** Reads on in the Aloha client's log from where it was opened. */
export class LogTail {
  readonly #host: WindowsHost;
  /** As SFTP names it. */
  readonly path: string;
  readonly #decoder = new TextDecoder();
  #offsetBytes: number;

  private constructor(host: WindowsHost, path: string, offsetBytes: number) {
    this.#host = host;
    this.path = path;
    this.#offsetBytes = offsetBytes;
  }

  /** Opens the log at its present end. @param alohaDir the folder on Windows */
  static async open(host: WindowsHost, alohaDir: string, signal: AbortSignal): Promise<LogTail> {
    const path = joinRemote(sftpPath(alohaDir), logName);
    const sftp = await host.sftp(signal);
    return new LogTail(host, path, (await sftp.stat(path))?.size ?? 0);
  }

  /**
   * What has come since the last time; empty if nothing.
   *
   * @throws AutomationError `remote_unexpected` if the log was begun anew: the client was started again
   */
  async read(signal: AbortSignal): Promise<string> {
    const sftp = await this.#host.sftp(signal);
    const sizeBytes = (await sftp.stat(this.path))?.size ?? 0;
    if (sizeBytes < this.#offsetBytes) {
      throw new AutomationError('remote_unexpected', `${this.path} was begun anew: the Aloha client was started again`);
    }
    const endBytes = Math.min(sizeBytes, this.#offsetBytes + maxReadBytes);
    const bytes = await sftp.read(this.path, this.#offsetBytes, endBytes);
    this.#offsetBytes += bytes.length;
    return this.#decoder.decode(bytes, { stream: true });
  }
}

/** Whether following a run may go on after an error: the connection was lost or slow, and can be made again. */
export function isPassing(error: unknown): boolean {
  if (isTimeout(error)) return true;
  const passing: readonly string[] = ['ssh_connection_lost', 'ssh_unreachable', 'ssh_handshake_failed'];
  return error instanceof AutomationError && passing.includes(error.code);
}
