import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AutomationError, messageOf, systemCodeOf } from '../core/errors.ts';

/** A lock that this process holds. */
export type HeldLock = AsyncDisposable;

/**
 * Takes a lock file that names its owner: the pid and when that process began, so that a pid used again is nobody's.
 *
 * @returns the lock, or the pid of the live process that has it
 */
export async function takeLock(path: string, pid: number): Promise<HeldLock | number> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const own = `${pid} ${await startOf(pid)}\n`;
  for (let tries = 0; tries < 5; tries += 1) {
    try {
      await writeFile(path, own, { flag: 'wx', mode: 0o600 });
      return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
    } catch (error) {
      if (systemCodeOf(error) !== 'EEXIST') {
        throw new AutomationError('io_failed', `${path}: ${messageOf(error)}`, { hint: 'check state_dir' });
      }
    }
    const owner = await liveOwner(path);
    if (owner !== undefined) return owner;
    await rm(path, { force: true });
  }
  throw new AutomationError('io_failed', `${path}: it is taken and given back all the time`);
}

async function liveOwner(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const [pid = '', start = ''] = text.trim().split(' ');
  if (!/^\d+$/.test(pid)) return undefined;
  return start !== '' && (await startOf(Number(pid))) === start ? Number(pid) : undefined;
}

/** When a process began, in clock ticks since boot: the 22nd field of /proc/PID/stat (proc(5)). Empty if there is none. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field, in parentheses, may hold anything.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
