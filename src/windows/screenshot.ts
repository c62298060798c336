import { randomUUID } from 'node:crypto';
import { AutomationError, messageOf } from '../core/errors.ts';
import { get } from './files.ts';
import { requireGui } from './gui-gate.ts';
import type { WindowsHost } from './host.ts';
import { sftpPath } from './paths.ts';
import { callableScript, encodeArgument } from './powershell/compose.ts';
import type { ScriptOutput } from './powershell/contracts.ts';
import { scripts } from './powershell/scripts.ts';

const folder = 'C:\\ProgramData\\win-automation\\screenshots';
const interactiveTimeoutS = 60;
const discardTimeoutMs = 5_000;

export type Screenshot = Pick<ScriptOutput<'screenshot'>, 'width' | 'height'> & { readonly sizeBytes: number };

/**
 * Takes a picture of the desktop and brings it here. It is taken in the logged-on session: processes that SSH starts are
 * in session 0 and see no desktop.
 *
 * @param path of the PNG file on this machine
 * @throws AutomationError `gui_blocked` where there is no desktop to see, `script_failed`, `file_failed`
 */
export async function takeScreenshot(host: WindowsHost, path: string, signal: AbortSignal): Promise<Screenshot> {
  await requireGui(host, signal);
  const remote = `${folder}\\${randomUUID()}.png`;
  const sftp = await host.sftp(signal);
  await sftp.makeDir(sftpPath(folder));
  try {
    const { width, height } = await captureTo(host, remote, signal);
    const options = { isRecursive: false, isVerified: false, signal };
    const { sizeBytes } = await get(host, remote, path, options);
    return { width, height, sizeBytes };
  } finally {
    await discard(host, remote);
  }
}

/** Removes the picture on Windows, also where the deadline of the whole has passed. */
async function discard(host: WindowsHost, remote: string): Promise<void> {
  try {
    const sftp = await host.sftp(AbortSignal.timeout(discardTimeoutMs));
    if ((await sftp.stat(sftpPath(remote))) !== undefined) await sftp.remove(sftpPath(remote));
  } catch (error) {
    host.logger.warn('screenshot', 'a picture is left on the host', { file: remote, err: messageOf(error) });
  }
}

async function captureTo(host: WindowsHost, remote: string, signal: AbortSignal): Promise<ScriptOutput<'screenshot'>> {
  const request = {
    id: randomUUID(),
    script: Buffer.from(callableScript(scripts.screenshot), 'utf8').toString('base64'),
    argument: encodeArgument({ path: remote }),
    timeout_s: interactiveTimeoutS,
  };
  const result = await host.script('interactive', request, { signal });
  if (!result.ok) throw new AutomationError('script_failed', `the screenshot failed: ${result.error}`);
  return host.parse('screenshot', result.output);
}
