import { Buffer } from 'node:buffer';
import {
  close,
  fstat,
  mkdirSync,
  open,
  read,
  readdirSync,
  renameSync,
  rmdirSync,
  type Stats,
  statSync,
  unlinkSync,
  write,
} from 'node:fs';
import { join } from 'node:path';
import type { SFTPWrapper } from 'ssh2';
import ssh2 from 'ssh2';
import { localPath, remotePath } from './paths.ts';
import type { LabState } from './state.ts';

const { STATUS_CODE, flagsToString } = ssh2.utils.sftp;

interface OpenFolder {
  readonly path: string;
  isListed: boolean;
}

/** Serves SFTP on the folder that stands for C:\, as Windows OpenSSH does: `/C:/dir/file`, or relative to the home folder. */
export function serveSftp(sftp: SFTPWrapper, state: LabState): void {
  const files = new Map<number, number>();
  const folders = new Map<number, OpenFolder>();
  let lastHandle = 0;
  const local = (path: string) => localPath(state, path);
  const handleOf = (handle: Buffer) => handle.readUInt32BE(0);
  const newHandle = () => {
    lastHandle += 1;
    const handle = Buffer.alloc(4);
    handle.writeUInt32BE(lastHandle);
    return { id: lastHandle, handle };
  };
  const ok = (id: number) => sftp.status(id, STATUS_CODE.OK);
  const fail = (id: number, error: unknown) => {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const status = code === 'ENOENT' ? STATUS_CODE.NO_SUCH_FILE : STATUS_CODE.FAILURE;
    sftp.status(id, status, String(code ?? error));
  };
  const attempt = (id: number, act: () => void) => {
    try {
      act();
    } catch (error) {
      fail(id, error);
    }
  };

  sftp.on('OPEN', (id, path, flags) => {
    open(local(path), flagsToString(flags) ?? 'r', 0o644, (error, fd) => {
      if (error) return fail(id, error);
      const { id: key, handle } = newHandle();
      files.set(key, fd);
      sftp.handle(id, handle);
    });
  });
  sftp.on('READ', (id, handle, offset, length) => {
    const fd = files.get(handleOf(handle));
    if (fd === undefined) return void sftp.status(id, STATUS_CODE.FAILURE);
    read(fd, Buffer.alloc(Math.min(length, 262_144)), 0, Math.min(length, 262_144), offset, (error, count, bytes) => {
      if (error) fail(id, error);
      else if (count === 0) sftp.status(id, STATUS_CODE.EOF);
      else sftp.data(id, bytes.subarray(0, count));
    });
  });
  sftp.on('WRITE', (id, handle, offset, bytes) => {
    const fd = files.get(handleOf(handle));
    if (fd === undefined) return void sftp.status(id, STATUS_CODE.FAILURE);
    write(fd, bytes, 0, bytes.length, offset, (error) => (error ? fail(id, error) : ok(id)));
  });
  sftp.on('FSTAT', (id, handle) => {
    const fd = files.get(handleOf(handle));
    if (fd === undefined) return void sftp.status(id, STATUS_CODE.FAILURE);
    fstat(fd, (error, stats) => (error ? fail(id, error) : sftp.attrs(id, attributesOf(stats))));
  });
  sftp.on('CLOSE', (id, handle) => {
    const key = handleOf(handle);
    const fd = files.get(key);
    files.delete(key);
    folders.delete(key);
    if (fd === undefined) return void ok(id);
    close(fd, (error) => (error ? fail(id, error) : ok(id)));
  });
  for (const kind of ['STAT', 'LSTAT'] as const) {
    sftp.on(kind, (id: number, path: string) => attempt(id, () => sftp.attrs(id, attributesOf(statSync(local(path))))));
  }
  sftp.on('OPENDIR', (id, path) =>
    attempt(id, () => {
      readdirSync(local(path));
      const { id: key, handle } = newHandle();
      folders.set(key, { path: local(path), isListed: false });
      sftp.handle(id, handle);
    }),
  );
  sftp.on('READDIR', (id, handle) =>
    attempt(id, () => {
      const folder = folders.get(handleOf(handle));
      if (folder === undefined || folder.isListed) return sftp.status(id, STATUS_CODE.EOF);
      folder.isListed = true;
      const entries = readdirSync(folder.path).map((filename) => {
        return { filename, longname: filename, attrs: attributesOf(statSync(join(folder.path, filename))) };
      });
      return sftp.name(id, entries);
    }),
  );
  const change = (id: number, act: () => void) =>
    attempt(id, () => {
      act();
      ok(id);
    });
  sftp.on('MKDIR', (id, path) => change(id, () => mkdirSync(local(path))));
  sftp.on('RMDIR', (id, path) => change(id, () => rmdirSync(local(path))));
  sftp.on('REMOVE', (id, path) => change(id, () => unlinkSync(local(path))));
  sftp.on('RENAME', (id, from, to) =>
    attempt(id, () => {
      // Plain SFTP refuses to replace.
      if (statSync(local(to), { throwIfNoEntry: false })) return sftp.status(id, STATUS_CODE.FAILURE);
      renameSync(local(from), local(to));
      return ok(id);
    }),
  );
  sftp.on('SETSTAT', (id) => ok(id));
  sftp.on('FSETSTAT', (id) => ok(id));
  sftp.on('REALPATH', (id, path) => {
    const filename = remotePath(state, local(path === '.' ? '' : path));
    sftp.name(id, [{ filename, longname: filename, attrs: {} as never }]);
  });
}

function attributesOf(stats: Stats) {
  const seconds = (ms: number) => Math.floor(ms / 1000);
  return {
    mode: stats.mode,
    uid: 0,
    gid: 0,
    size: stats.size,
    atime: seconds(stats.atimeMs),
    mtime: seconds(stats.mtimeMs),
  };
}
