import type { FileEntry, SFTPWrapper, Stats } from 'ssh2';
import { abortable, Deadline } from '../core/deadline.ts';
import { milliseconds } from '../core/duration.ts';
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

/** The longest that the server may take over one request that moves no bytes of files. */
const callTimeoutMs = milliseconds(30_000);

/** One SFTP session of a connection, shared by all who use it. It is never used again once it ended or did not answer. */
export class SftpSession {
  readonly wrapper: SFTPWrapper;
  readonly connection: SshConnection;
  transfer: Promise<SftpTransfer> | undefined;
  #isOpen = true;

  constructor(wrapper: SFTPWrapper, connection: SshConnection) {
    this.wrapper = wrapper;
    this.connection = connection;
    wrapper.once('close', () => {
      this.#isOpen = false;
    });
    // A session that breaks is told to whoever waits on it, by its close.
    wrapper.on('error', () => this.close());
  }

  /** False once it ended, failed, or left a request without an answer. */
  get isOpen(): boolean {
    return this.#isOpen && this.connection.isOpen;
  }

  /** Ends it, and with it whatever it is busy with. */
  close(): void {
    this.#isOpen = false;
    this.wrapper.end();
    this.transfer?.then((transfer) => transfer.close()).catch(() => undefined);
  }
}

/**
 * An SFTP session with promises and errors that name the file, for one piece of work: every call ends with the work's signal,
 * and has a deadline of its own. Paths are as SFTP takes them.
 */
export class Sftp {
  readonly #session: SftpSession;
  readonly #signal: AbortSignal;

  /** @param signal ends every call */
  constructor(session: SftpSession, signal: AbortSignal) {
    this.#session = session;
    this.#signal = signal;
  }

  get #wrapper(): SFTPWrapper {
    return this.#session.wrapper;
  }

  get #connection(): SshConnection {
    return this.#session.connection;
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
  async removeTree(path: string): Promise<void> {
    if ((await this.stat(path)) === undefined) return;
    for (const { filename, attrs } of await this.list(path)) {
      if (filename === '.' || filename === '..') continue;
      const entry = `${path}/${filename}`;
      if ((attrs.mode & fileKindMask) === folderKind) await this.removeTree(entry);
      else await this.remove(entry);
    }
    await this.removeDir(path);
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
  writeFile(path: string, bytes: Buffer): Promise<void> {
    return this.#call<void>('write', path, (done) => this.#wrapper.writeFile(path, bytes, done));
  }

  /** Reads a part of a file into memory. @param endBytes the first byte that is not read */
  async read(path: string, startBytes: number, endBytes: number): Promise<Buffer> {
    if (endBytes <= startBytes) return Buffer.alloc(0);
    const stream = this.#wrapper.createReadStream(path, { start: startBytes, end: endBytes - 1 });
    try {
      return await this.#call<Buffer>('read', path, (done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.once('error', done);
        stream.once('end', () => done(undefined, Buffer.concat(chunks)));
      });
    } finally {
      stream.destroy();
    }
  }

  /** Uploads one file as it is. An abort ends the channel that carries it. */
  upload(local: string, remote: string, onProgress?: OnProgress): Promise<void> {
    return this.#byTransfer('put', remote, (transfer) => transfer.upload(local, remote, this.#signal, onProgress));
  }

  /** Downloads the first `sizeBytes` of a file. An abort ends the channel that carries it. */
  download(remote: string, local: string, sizeBytes: number, onProgress?: OnProgress): Promise<void> {
    return this.#byTransfer('get', remote, (transfer) =>
      transfer.download(remote, local, sizeBytes, this.#signal, onProgress),
    );
  }

  /** Opens the channel for `upload` and `download` while its caller does something else; a failure is told by those. */
  expectTransfer(): void {
    this.#openTransfer().catch(() => undefined);
  }

  async #byTransfer(what: string, path: string, work: (transfer: SftpTransfer) => Promise<void>): Promise<void> {
    const transfer = await this.#bounded(`${what} ${path}`, this.#openTransfer());
    try {
      await work(transfer);
    } catch (error) {
      if (!transfer.isOpen) this.#session.transfer = undefined;
      if (this.#signal.aborted || error instanceof AutomationError) throw error;
      throw failure(what, path, error);
    }
  }

  #openTransfer(): Promise<SftpTransfer> {
    const session = this.#session;
    session.transfer ??= this.#beginTransfer().catch((error: unknown) => {
      session.transfer = undefined;
      throw error;
    });
    return session.transfer;
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
    const called = new Promise<T>((resolve, reject) => {
      const onClose = () => reject(this.#connection.lost(`during an SFTP ${what} of ${path}`));
      if (!this.#session.isOpen) return onClose();
      this.#wrapper.once('close', onClose);
      start((error, value) => {
        this.#wrapper.off('close', onClose);
        if (error === undefined || error === null) resolve(value as T);
        else if (this.#connection.isOpen) reject(failure(what, path, error));
        else reject(this.#connection.lost(`during an SFTP ${what} of ${path}`));
      });
    });
    return this.#bounded(`${what} ${path}`, called);
  }

  /** Waits no longer than the work's signal and a deadline allow. A session that gives no answer is ended. */
  async #bounded<T>(what: string, work: Promise<T>): Promise<T> {
    using deadline = new Deadline(callTimeoutMs, `SFTP ${what}`, this.#signal);
    try {
      return await abortable(work, deadline.signal);
    } catch (error) {
      if (deadline.signal.aborted && !this.#signal.aborted) this.#session.close();
      throw error;
    }
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
