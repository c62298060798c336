import { messageOf } from '../../core/errors.ts';
import { degraded, type Finding, found } from '../../core/finding.ts';
import type { WindowsHost } from '../../windows/host.ts';
import type { ScriptOutput } from '../../windows/powershell/contracts.ts';
import { addressOf } from '../../windows/target.ts';
import { type Check, judge } from '../verdict.ts';

/** Less than this, and Windows itself begins to fail. */
const minFreeBytes = 1024 ** 3;
/** More than this, and certificates and tokens begin to be refused. */
const maxSkewMs = 30_000;

/** Whether an SSH session can be had (TCP, host key, authentication), and whether Windows behind it is well. */
export const checkSsh: Check = ({ windows, signal }) =>
  judge('ssh', signal, async () => {
    await windows.connection(signal);
    return judgeWindows(windows, signal);
  });

async function judgeWindows(windows: WindowsHost, signal: AbortSignal): Promise<Finding> {
  const address = addressOf(windows.target);
  let facts: ScriptOutput<'facts'>;
  const askedMs = Date.now();
  try {
    facts = await windows.script('facts', {}, { signal });
  } catch (error) {
    signal.throwIfAborted();
    const detail = `a session as ${address}, but PowerShell does not work: ${messageOf(error)}`;
    return degraded('powershell_failed', detail, ['win-automation windows selftest tells more']);
  }
  const { disk_free_bytes, disk_size_bytes, os_caption, openssh_version } = facts;
  // A size of 0 means that Windows did not tell.
  if (disk_size_bytes > 0 && disk_free_bytes < minFreeBytes) {
    const detail = `${Math.floor(disk_free_bytes / 1024 ** 2)} MiB are free on C:`;
    return degraded('disk_full', detail, ['make room on C: of the Windows host']);
  }
  const skewMs = Math.round(Date.parse(facts.utc_now) - (askedMs + Date.now()) / 2);
  if (Math.abs(skewMs) > maxSkewMs) {
    const detail = `the clock of Windows is ${Math.abs(skewMs)} ms ${skewMs > 0 ? 'ahead' : 'behind'}`;
    return degraded('clock_skew', detail, ['on Windows: w32tm /resync /force']);
  }
  return found('connected', `a session as ${address}; ${os_caption}, OpenSSH ${openssh_version}`, {
    openssh_version: openssh_version ?? 'unknown',
  });
}
