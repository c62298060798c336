import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { digestOf } from '../core/digest.ts';
import { AutomationError, messageOf } from '../core/errors.ts';
import { MemoryKeeper } from '../core/memory.ts';
import type { WindowsHost } from './host.ts';
import { localTree } from './local-tree.ts';
import { baseName, joinRemote, sftpPath, windowsPath } from './paths.ts';
import { fileKindMask, folderKind, regularKind } from './sftp.ts';

const discardMs = 5_000;
/** Whoever gave up waits for no more than this. */
const discardAfterAbortMs = 900;

export interface TransferOptions {
  readonly isRecursive: boolean;
  /** Compares SHA-256 on both sides; the size is compared always. */
  readonly isVerified: boolean;
  readonly signal: AbortSignal;
  /** Told the bytes of the current file that have gone over so far. */
  readonly onProgress?: (progress: {
    readonly file: string;
    readonly doneBytes: number;
    readonly sizeBytes: number;
  }) => void;
}

export interface Transferred {
  readonly files: number;
  readonly sizeBytes: number;
}

/** One file to bring over. */
interface Item {
  readonly local: string;
  readonly remote: string;
  readonly sizeBytes: number;
}

/**
 * Uploads a file, or with `isRecursive` a folder. Each file gets its name only when all of it is there, so that whoever
 * reads it sees the old one or the new one.
 *
 * @param remote `C:\dir\file`, or a path relative to the home folder; an existing folder takes the file under its own name
 * @throws AutomationError `file_failed`, and what `connect` throws
 */
export async function put(
  host: WindowsHost,
  local: string,
  remote: string,
  options: TransferOptions,
): Promise<Transferred> {
  const facts = await stat(local).catch((error: unknown) => {
    throw new AutomationError('file_failed', `${local}: ${messageOf(error)}`);
  });
  if (facts.isDirectory() && !options.isRecursive) throw notRecursive(local);
  const sftp = await host.sftp(options.signal);
  sftp.expectTransfer();
  const wanted = sftpPath(remote);
  const existing = await sftp.stat(wanted);
  const isInside = existing?.isDirectory() || /[\\/]$/.test(remote);
  const target = isInside ? joinRemote(wanted, basename(local)) : wanted;
  const { items, folders } = facts.isDirectory()
    ? await localItems(local, target)
    : { items: [{ local, remote: target, sizeBytes: facts.size }], folders: [] };
  if (facts.isDirectory()) await sftp.makeDir(target);
  for (const folder of folders) await sftp.makeDir(folder);
  for (const item of items) await putOne(host, item, options);
  return sumOf(items);
}

async function putOne(host: WindowsHost, item: Item, options: TransferOptions): Promise<void> {
  const { signal } = options;
  const sftp = await host.sftp(signal);
  const temporary = `${item.remote}.part-${randomUUID()}`;
  try {
    await sftp.upload(item.local, temporary, progressOf(item, options));
    const arrived = (await sftp.stat(temporary))?.size;
    if (arrived !== item.sizeBytes) throw wrongSize(item.remote, item.sizeBytes, arrived);
    if (options.isVerified) await verify(host, item.local, temporary, item.remote, signal);
    await sftp.replace(temporary, item.remote);
  } catch (error) {
    await discard(host, temporary, signal);
    throw error;
  }
}

/** Removes a half file. After an abort the session is still busy with it, and has to go first. */
async function discard(host: WindowsHost, temporary: string, signal: AbortSignal): Promise<void> {
  if (signal.aborted) host.dropSftp();
  const soon = AbortSignal.timeout(signal.aborted ? discardAfterAbortMs : discardMs);
  try {
    const sftp = await host.sftp(soon);
    if ((await sftp.stat(temporary)) !== undefined) await sftp.remove(temporary);
  } catch (error) {
    host.logger.warn('put', 'a half file is left', { file: windowsPath(temporary), err: messageOf(error) });
  }
}

/**
 * Downloads a file, or with `isRecursive` a folder; each file is written under another name, fsynced and renamed.
 *
 * @param local an existing folder takes the file under its own name
 * @throws AutomationError `file_failed`, and what `connect` throws
 */
export async function get(
  host: WindowsHost,
  remote: string,
  local: string,
  options: TransferOptions,
): Promise<Transferred> {
  const sftp = await host.sftp(options.signal);
  sftp.expectTransfer();
  const source = sftpPath(remote);
  const facts = await sftp.stat(source);
  if (facts === undefined)
    throw new AutomationError('file_failed', `${remote}: there is no such file on ${host.target.name}`);
  if (facts.isDirectory() && !options.isRecursive) throw notRecursive(remote);
  const isInside = (await stat(local).catch(() => undefined))?.isDirectory() || local.endsWith('/');
  const target = isInside ? join(local, safeName(baseName(remote))) : local;
  const items = facts.isDirectory()
    ? await remoteItems(host, source, target, options.signal)
    : [{ local: target, remote: source, sizeBytes: facts.size }];
  for (const item of items) await getOne(host, item, options);
  return sumOf(items);
}

async function getOne(host: WindowsHost, item: Item, options: TransferOptions): Promise<void> {
  const temporary = `${item.local}.part-${randomUUID()}`;
  try {
    await mkdir(dirname(item.local), { recursive: true });
    const sftp = await host.sftp(options.signal);
    await sftp.download(item.remote, temporary, item.sizeBytes, progressOf(item, options));
    const arrived = (await stat(temporary)).size;
    if (arrived !== item.sizeBytes) throw wrongSize(item.local, item.sizeBytes, arrived);
    if (options.isVerified) await verify(host, temporary, item.remote, item.local, options.signal);
    await rename(temporary, item.local);
  } catch (error) {
    if (options.signal.aborted) host.dropSftp();
    await rm(temporary, { force: true });
    if (error instanceof AutomationError) throw error;
    throw new AutomationError('file_failed', `${item.local}: ${messageOf(error)}`, { cause: error });
  }
}

async function verify(
  host: WindowsHost,
  local: string,
  remote: string,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const [here, there] = await Promise.all([
    digestOf(local, signal),
    host.script('hash', { paths: [windowsPath(remote)] }, { signal }),
  ]);
  const hash = there.files[0]?.sha256;
  if (hash !== here.sha256)
    throw new AutomationError('file_failed', `${name}: SHA-256 is ${here.sha256} here and ${hash} on Windows`);
}

async function localItems(dir: string, remote: string): Promise<{ items: Item[]; folders: string[] }> {
  const { files, folders } = await localTree(dir);
  const items = files.map(({ path, below, sizeBytes }) => ({
    local: path,
    remote: joinRemote(remote, below),
    sizeBytes,
  }));
  return { items, folders: folders.map((below) => joinRemote(remote, below)) };
}

async function remoteItems(host: WindowsHost, dir: string, local: string, signal: AbortSignal): Promise<Item[]> {
  signal.throwIfAborted();
  const sftp = await host.sftp(signal);
  await mkdir(local, { recursive: true }).catch((error: unknown) => {
    throw new AutomationError('file_failed', `${local}: ${messageOf(error)}`, { cause: error });
  });
  const items: Item[] = [];
  for (const { filename, attrs } of await sftp.list(dir)) {
    if (filename === '.' || filename === '..') continue;
    const [remote, target] = [joinRemote(dir, filename), join(local, safeName(filename))];
    // A link to a folder may lead round in circles: folders are followed only where they really are.
    const kind = attrs.mode & fileKindMask;
    if (kind === folderKind) items.push(...(await remoteItems(host, remote, target, signal)));
    else if (kind === regularKind) items.push({ local: target, remote, sizeBytes: attrs.size });
  }
  return items;
}

/** A name that the far side gave must not lead out of the folder that the user named. */
function safeName(name: string): string {
  if (name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name)) return name;
  throw new AutomationError(
    'file_failed',
    `the host names a file ${JSON.stringify(name)}, which is no name for a file here`,
  );
}

function progressOf(item: Item, { onProgress }: TransferOptions): (doneBytes: number) => void {
  const memory = new MemoryKeeper();
  let before = 0;
  return (doneBytes) => {
    memory.passed(doneBytes - before);
    before = doneBytes;
    onProgress?.({ file: windowsPath(item.remote), doneBytes, sizeBytes: item.sizeBytes });
  };
}

const sumOf = (items: readonly Item[]): Transferred => ({
  files: items.length,
  sizeBytes: items.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
});

const notRecursive = (path: string) => new AutomationError('usage', `${path} is a folder: give --recursive`);

const wrongSize = (path: string, expected: number, arrived: number | undefined) =>
  new AutomationError(
    'file_failed',
    `${path}: ${arrived ?? 'no'} bytes arrived of ${expected}; did it change meanwhile?`,
  );
