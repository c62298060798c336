import { Deadline } from '../core/deadline.ts';
import { milliseconds } from '../core/duration.ts';
import { notify } from './notify.ts';
import { type PassResult, runPass } from './pass.ts';
import { statePath } from './state-file.ts';
import { stateKeeper } from './state-keeper.ts';
import type { CheckContext, Component } from './verdict.ts';

const readyTimeoutMs = 30_000;
/** A pass that does not end is given up: the next one may fare better. */
const passTimeoutMs = milliseconds(300_000);

export interface SuperviseOptions {
  readonly failpoints: ReadonlySet<Component>;
  readonly isDryRun: boolean;
  /** Called once the host is done with, while its memory is being written. */
  readonly onLeft?: () => Promise<void>;
}

/**
 * One pass over a host; its memory is read before and written behind. The caller holds the lock.
 *
 * @throws AutomationError `timeout` where it does not end; the signal's reason
 */
export async function supervise(
  context: CheckContext,
  { failpoints, isDryRun, onLeft }: SuperviseOptions,
): Promise<PassResult> {
  const { loaded, host, logger } = context;
  const { failure_threshold, cooldown } = loaded.config.supervisor;
  using deadline = new Deadline(passTimeoutMs, 'the pass', context.signal);
  const memory = stateKeeper(statePath(loaded.config.state_dir), logger);
  const before = await memory.get(host);
  try {
    const { result, after } = await runPass(before, {
      context: { ...context, signal: deadline.signal },
      rules: { threshold: failure_threshold, cooldownMs: cooldown },
      readyTimeoutMs,
      failpoints,
      isDryRun,
      now: () => new Date(),
    });
    await Promise.all([memory.set(host, after), onLeft?.()]);
    if (!isDryRun) tellChange(context, before.last_pass?.state, result);
    return result;
  } finally {
    memory.release(host);
  }
}

const telling = new Set<Promise<void>>();

/** Tells a change of state beside the passes, never in their way. The first pass of all tells only what is wrong. */
function tellChange({ loaded, logger }: CheckContext, before: string | undefined, result: PassResult): void {
  const from = before ?? 'healthy';
  const { on_change_cmd: command, webhook_url: webhookUrl } = loaded.config.supervisor;
  if (from === result.state || (command === undefined && webhookUrl === undefined)) return;
  const components = result.components.map(({ verdict: { component, state, reason, detail } }) => {
    return { component, state, reason, detail };
  });
  const change = { host: result.host, from, to: result.state, at: new Date().toISOString(), components };
  const told = notify(change, {
    command,
    env: loaded.commandEnv,
    webhookUrl,
    attempts: loaded.config.retry.attempts,
    logger,
  });
  telling.add(told);
  void told.finally(() => telling.delete(told));
}

/** Waits until all changes are told, each of which has a deadline of its own. */
export async function allTold(): Promise<void> {
  await Promise.all(telling);
}
