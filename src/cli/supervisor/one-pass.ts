import { Deadline } from '../../core/deadline.ts';
import { milliseconds } from '../../core/duration.ts';
import { parseFailpoints } from '../../supervisor/failpoints.ts';
import { type PassResult, runPass } from '../../supervisor/pass.ts';
import { emptyHostState, readState, statePath, writeState } from '../../supervisor/state-file.ts';
import type { Invocation, Session } from '../invocation.ts';
import { openHostToCheck } from '../windows/open-host.ts';

const readyTimeoutMs = 30_000;
/** A pass that does not end is given up: the next one may fare better. */
const passTimeoutMs = milliseconds(300_000);

/** Changes of the state file, one after another: several hosts share it. */
let changing: Promise<unknown> = Promise.resolve();

/** One pass over the session's host; its memory is read before and written behind. The caller holds the lock. */
export async function onePass(invocation: Invocation, session: Session, isDryRun: boolean): Promise<PassResult> {
  const { loaded, host } = session;
  const failpoints = parseFailpoints(invocation.env['WIN_AUTOMATION_SUPERVISOR_FAILPOINT']);
  const logger = session.logger.child('supervisor');
  const { failure_threshold, cooldown } = loaded.config.supervisor;
  using deadline = new Deadline(passTimeoutMs, 'the pass', invocation.signal);
  await using windows = openHostToCheck(session);
  const path = statePath(loaded.config.state_dir);
  const before = (await readState(path, logger)).hosts[host] ?? emptyHostState;
  const { result, after } = await runPass(before, {
    context: { loaded, host, windows, logger, signal: deadline.signal },
    rules: { threshold: failure_threshold, cooldownMs: cooldown },
    readyTimeoutMs,
    failpoints,
    isDryRun,
    now: () => new Date(),
  });
  const written = changing.then(async () => {
    const state = await readState(path, logger);
    await writeState(path, { ...state, hosts: { ...state.hosts, [host]: after } });
  });
  changing = written.catch(() => undefined);
  await written;
  return result;
}
