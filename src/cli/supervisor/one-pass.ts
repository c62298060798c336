import { parseFailpoints } from '../../supervisor/failpoints.ts';
import type { PassResult } from '../../supervisor/pass.ts';
import { supervise } from '../../supervisor/supervise.ts';
import type { Invocation, Session } from '../invocation.ts';
import { openHostToCheck } from '../windows/open-host.ts';

/** One pass over the session's host. The caller holds the lock. */
export async function onePass(invocation: Invocation, session: Session, isDryRun: boolean): Promise<PassResult> {
  const { loaded, host, logger } = session;
  const failpoints = parseFailpoints(invocation.env['WIN_AUTOMATION_SUPERVISOR_FAILPOINT']);
  await using windows = openHostToCheck(session);
  const context = { loaded, host, windows, logger: logger.child('supervisor'), signal: invocation.signal };
  const onLeft = async () => {
    invocation.endTurn?.();
    await windows.close();
  };
  return await supervise(context, { failpoints, isDryRun, onLeft });
}
