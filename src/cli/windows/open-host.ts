import { hostOptions, WindowsHost } from '../../windows/host.ts';
import { sshTarget } from '../../windows/target.ts';
import type { Session } from '../invocation.ts';

/** The host that the command is about. @param isWarm for more than one script: one PowerShell for all of them */
export function openHost({ loaded, logger, host }: Session, isWarm = false): WindowsHost {
  return new WindowsHost(sshTarget(loaded, host), {
    ...hostOptions(loaded, host),
    logger: logger.child('windows'),
    isWarm,
  });
}

/** The same for checks, which try once: what they find is an answer. */
export function openHostToCheck({ loaded, logger, host }: Session): WindowsHost {
  return new WindowsHost(
    { ...sshTarget(loaded, host), attempts: 1 },
    { ...hostOptions(loaded, host), logger: logger.child('windows'), isWarm: true },
  );
}
