/**
 * A path as SFTP takes it: `C:\dir\file` becomes `/C:/dir/file`, which Windows OpenSSH understands. What begins with no
 * drive stays, relative to the home folder.
 */
export function sftpPath(path: string): string {
  return /^[A-Za-z]:([\\/]|$)/.test(path) ? `/${path.replaceAll('\\', '/')}` : path;
}

/** The reverse: a path as Windows programs take it. */
export function windowsPath(path: string): string {
  return /^\/[A-Za-z]:(\/|$)/.test(path) ? path.slice(1).replaceAll('/', '\\') : path;
}

/** The last part of a path with either kind of separator. */
export function baseName(path: string): string {
  return (
    path
      .replace(/[\\/]+$/, '')
      .split(/[\\/]/)
      .at(-1) ?? ''
  );
}

/** Two remote parts in one path. */
export function joinRemote(dir: string, name: string): string {
  return /[\\/]$/.test(dir) ? dir + name : `${dir}/${name}`;
}
