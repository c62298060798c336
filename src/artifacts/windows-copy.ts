import { get, put } from '../windows/files.ts';
import type { WindowsHost } from '../windows/host.ts';
import { joinRemote, sftpPath } from '../windows/paths.ts';
import { isPast, type Retention } from './gc.ts';
import { isJobId, requireJobId } from './job-id.ts';

/** Where artifacts are on Windows (context.md, "Artifacts"). */
const windowsRoot = 'C:\\ProgramData\\win-automation\\artifacts';

/** Copies a job's folder to Windows. @throws AutomationError see `put` */
export async function mirrorToWindows(host: WindowsHost, dir: string, signal: AbortSignal): Promise<void> {
  const sftp = await host.sftp(signal);
  await sftp.makeDir(sftpPath(windowsRoot));
  await put(host, dir, `${windowsRoot}\\`, { isRecursive: true, isVerified: false, signal });
}

/**
 * Brings a job's folder from Windows.
 *
 * @param dir the folder that becomes the job's
 * @returns false where Windows has none
 */
export async function fetchFromWindows(
  host: WindowsHost,
  jobId: string,
  dir: string,
  signal: AbortSignal,
): Promise<boolean> {
  const remote = joinRemote(sftpPath(windowsRoot), requireJobId(jobId));
  const sftp = await host.sftp(signal);
  if (!(await sftp.stat(remote))?.isDirectory()) return false;
  await get(host, remote, dir, { isRecursive: true, isVerified: false, signal });
  return true;
}

/** The same as `collectGarbage` for the copies on Windows, by the age of their folders. */
export async function collectWindowsGarbage(
  host: WindowsHost,
  options: Retention,
  signal: AbortSignal,
): Promise<string[]> {
  const { jobs } = await host.script('artifacts', { action: 'list', root: windowsRoot, job_ids: [] }, { signal });
  const past: string[] = [];
  for (const { job_id, created_at } of jobs) {
    const isOld = isJobId(job_id) && isPast(Date.parse(created_at), options);
    if (isOld && !(await options.isRunning(job_id))) past.push(job_id);
  }
  if (past.length === 0 || options.isDryRun) return past;
  const request = { action: 'remove' as const, root: windowsRoot, job_ids: past };
  return (await host.script('artifacts', request, { signal })).removed;
}
