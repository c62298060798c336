import type { FileEntry, SFTPWrapper, Stats } from 'ssh2';
import { abortable } from '../core/deadline.ts';
import { AutomationError, messageOf } from '../core/errors.ts';
import type { SshConnection } from './connection.ts';
import { type OnProgress, SftpTransfer } from './sftp-transfer.ts';

/**
 * Most data in one message. OpenSSH takes at most 256 KiB with the head; others promise 34,000 bytes in all
 * (draft-ietf-secsh-filexfer-02, section 3).
 */
const chunkBytes = { openSsh: 261_120, other: 32_768 } as const;
/** SSH_FX_NO_SUCH_FILE (section 7 of the draft). */
const noSuchFile = 2;

/** The kind of a file in its mode, as SFTP carries it over (S_IFMT, S_IFDIR, S_IFREG). */
export const fileKindMask = 0o170_000;
export const folderKind = 0o040_000;
export const regularKind = 0o100_000;

/** An SFTP session with promises, deadlines and errors that name the file. Paths are as SFTP takes them. */
export class Sftp {
  readonly #wrapper: SFTPWrapper;
  readonly #connection: SshConnection;
  #transfer: Promise<SftpTransfer> | undefined;

  constructor(wrapper: SFTPWrapper, connection: SshConnection) {
    this.#wrapper = wrapper;
    this.#connection = connection;
  }

  /** Facts about a file or folder, links followed; undefined if there is none. */
  async stat(path: string): Promise<Stats | undefined> {
    try {
      return await this.#call<Stats>('stat', path, (done) => this.#wrapper.stat(path, done));
    } catch (error) {
      if (error instanceof AutomationError && error.fields['sftp_status'] === noSuchFile) return undefined;
      throw error;
    }
  }

  list(path: string): Promise<FileEntry[]> {
    return this.#call<FileEntry[]>('readdir', path, (done) => this.#wrapper.readdir(path, done));
  }

  /** Makes a folder, and those above it; one that exists is fine. */
  async makeDir(path: string): Promise<void> {
    const existing = await this.stat(path);
    if (existing?.isDirectory()) return;
    const parent = path.replace(/\/[^/]*\/*$/, '');
    if (parent !== '' && parent !== path && !/^\/[A-Za-z]:$/.test(parent)) await this.makeDir(parent);
    await this.#call<void>('mkdir', path, (done) => this.#wrapper.mkdir(path, done));
  }

  remove(path: string): Promise<void> {
    return this.#call<void>('unlink', path, (done) => this.#wrapper.unlink(path, done));
  }

  /** Removes an empty folder. */
  removeDir(path: string): Promise<void> {
    return this.#call<void>('rmdir', path, (done) => this.#wrapper.rmdir(path, done));
  }

  /** Removes a folder with all that is in it; one that is not there is fine. */
  async removeTree(path: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if ((await abortable(this.stat(path), signal)) === undefined) return;
    for (const { filename, attrs } of await abortable(this.list(path), signal)) {
      if (filename === '.' || filename === '..') continue;
      const entry = `${path}/${filename}`;
      if ((attrs.mode & fileKindMask) === folderKind) await this.removeTree(entry, signal);
      else await abortable(this.remove(entry), signal);
    }
    await abortable(this.removeDir(path), signal);
  }

  /**
   * Renames, replacing what stands there: at once by OpenSSH's extension; on a server without it the old file goes first,
   * since plain SFTP refuses to replace.
   */
  async replace(from: string, to: string): Promise<void> {
    if (this.#canReplace) {
      return this.#call<void>('rename', to, (done) => this.#wrapper.ext_openssh_rename(from, to, done));
    }
    if ((await this.stat(to)) !== undefined) await this.remove(to);
    return this.#call<void>('rename', to, (done) => this.#wrapper.rename(from, to, done));
  }

  get #canReplace(): boolean {
    const { _extensions: extensions } = this.#wrapper as unknown as { readonly _extensions?: Record<string, string> };
    return extensions?.['posix-rename@openssh.com'] === '1';
  }

  /** Writes a small file. */
  writeFile(path: string, bytes: Buffer, signal: AbortSignal): Promise<void> {
    return abortable(
      this.#call<void>('write', path, (done) => this.#wrapper.writeFile(path, bytes, done)),
      signal,
    );
  }

  /** Reads a part of a file into memory. @param endBytes the first byte that is not read */
  async read(path: string, startBytes: number, endBytes: number, signal: AbortSignal): Promise<Buffer> {
    if (endBytes <= startBytes) return Buffer.alloc(0);
    const stream = this.#wrapper.createReadStream(path, { start: startBytes, end: endBytes - 1 });
    try {
      return await abortable(
        this.#call<Buffer>('read', path, (done) => {
          const chunks: Buffer[] = [];
          stream.on('data', (chunk: Buffer) => chunks.push(chunk));
          stream.once('error', done);
          stream.once('end', () => done(undefined, Buffer.concat(chunks)));
        }),
        signal,
      );
    } finally {
      stream.destroy();
    }
  }

  /** Uploads one file as it is. An abort ends the channel that carries it. */
  upload(local: string, remote: string, signal: AbortSignal, onProgress?: OnProgress): Promise<void> {
    return this.#byTransfer('put', remote, signal, (transfer) => transfer.upload(local, remote, signal, onProgress));
  }

  /** Downloads the first `sizeBytes` of a file. An abort ends the channel that carries it. */
  download(
    remote: string,
    local: string,
    sizeBytes: number,
    signal: AbortSignal,
    onProgress?: OnProgress,
  ): Promise<void> {
    return this.#byTransfer('get', remote, signal, (transfer) =>
      transfer.download(remote, local, sizeBytes, signal, onProgress),
    );
  }

  /** Opens the channel for `upload` and `download` while its caller does something else; a failure is told by those. */
  expectTransfer(): void {
    this.#openTransfer().catch(() => undefined);
  }

  close(): void {
    this.#wrapper.end();
    this.#transfer?.then((transfer) => transfer.close()).catch(() => undefined);
  }

  async #byTransfer(
    what: string,
    path: string,
    signal: AbortSignal,
    work: (transfer: SftpTransfer) => Promise<void>,
  ): Promise<void> {
    const transfer = await abortable(this.#openTransfer(), signal);
    try {
      await work(transfer);
    } catch (error) {
      if (!transfer.isOpen) this.#transfer = undefined;
      if (signal.aborted || error instanceof AutomationError) throw error;
      throw failure(what, path, error);
    }
  }

  #openTransfer(): Promise<SftpTransfer> {
    this.#transfer ??= this.#beginTransfer().catch((error: unknown) => {
      this.#transfer = undefined;
      throw error;
    });
    return this.#transfer;
  }

  async #beginTransfer(): Promise<SftpTransfer> {
    const connection = this.#connection;
    const channel = await connection.openSubsystem('sftp');
    const most = connection.isOpenSsh ? chunkBytes.openSsh : chunkBytes.other;
    const transfer = new SftpTransfer(channel, most, () => connection.lost('during an SFTP transfer'));
    await transfer.begin();
    return transfer;
  }

  #call<T>(what: string, path: string, start: (done: Done<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const onClose = () => reject(this.#connection.lost(`during an SFTP ${what} of ${path}`));
      this.#wrapper.once('close', onClose);
      start((error, value) => {
        this.#wrapper.off('close', onClose);
        if (error === undefined || error === null) resolve(value as T);
        else if (this.#connection.isOpen) reject(failure(what, path, error));
        else reject(this.#connection.lost(`during an SFTP ${what} of ${path}`));
      });
    });
  }
}

type Done<T> = (error: Error | undefined | null, value?: T) => void;

function failure(what: string, path: string, error: unknown): AutomationError {
  const status = error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
  return new AutomationError('file_failed', `${what} ${path}: ${messageOf(error)}`, {
    fields: { sftp_status: status },
    cause: error,
  });
}
