import { join } from 'node:path';
import * as v from 'valibot';
import { takeLock } from '../../supervisor/lock-file.ts';
import { allTold, supervise } from '../../supervisor/supervise.ts';
import { defineJobType } from '../job-type.ts';

/** One pass of the supervisor over the job's host, with the same memory and lock as `supervisor run`. */
export const supervisorPass = defineJobType({
  name: 'supervisor.pass',
  description: 'checks everything on the host once, and repairs what it can',
  isGui: false,
  needsHost: true,
  input: v.strictObject({ dry_run: v.optional(v.boolean(), false) }),
  run: async ({ dry_run }, { loaded, host, windows, logger, signal }) => {
    const lock = await takeLock(join(loaded.config.state_dir, 'supervisor.lock'), process.pid);
    // Another one is at work: what this one would do is being done.
    if (typeof lock === 'number') return { isSuccess: true, result: { state: 'busy', pid: lock } };
    await using _lock = lock;
    const context = { loaded, host, windows, logger: logger.child('supervisor'), signal };
    const pass = await supervise(context, { failpoints: new Set(), isDryRun: dry_run });
    await allTold();
    const components = pass.components.map(({ verdict, breaker, remedy, changes }) => {
      const { component, state, reason, detail } = verdict;
      return { component, state, reason, breaker, remedy, changes, detail };
    });
    const result = { state: pass.state, host, repaired: pass.repaired, duration_ms: pass.durationMs, components };
    if (pass.state !== 'failed') return { isSuccess: true, result };
    const failed = components.filter(({ state }) => state === 'failed').map(({ component }) => component);
    return { isSuccess: false, result, error: { code: 'remote_failed', message: `failed: ${failed.join(', ')}` } };
  },
});
