import { join } from 'node:path';
import process from 'node:process';
import { Deadline, sleep } from '../../core/deadline.ts';
import { durationFlag, type Milliseconds, milliseconds } from '../../core/duration.ts';
import { exitCodes } from '../../core/exit-codes.ts';
import { parseFailpoints } from '../../supervisor/failpoints.ts';
import { takeLock } from '../../supervisor/lock-file.ts';
import { type PassResult, runPass } from '../../supervisor/pass.ts';
import { emptyHostState, readState, statePath, writeState } from '../../supervisor/state-file.ts';
import { defineAction } from '../command.ts';
import type { Invocation, Session } from '../invocation.ts';
import { sdNotify } from '../sd-notify.ts';
import { openHostToCheck } from '../windows/open-host.ts';
import { printPass } from './print-pass.ts';

const readyTimeoutMs = 30_000;
/** A pass that does not end is given up: the next one may fare better. */
const passTimeoutMs = milliseconds(300_000);

export default defineAction({
  name: 'run',
  description: 'Checks everything in turn and repairs what it can, until SIGTERM; with --once, one pass',
  examples: ['supervisor run', 'supervisor run --once', 'supervisor run --once --dry-run'],
  args: {
    once: { type: 'boolean', description: 'one pass: exit 0 healthy or repaired, 1 failed, 3 SSH unreachable' },
    interval: {
      type: 'string',
      valueHint: 'D',
      description: 'from one pass to the next (default: supervisor.interval)',
    },
    'dry-run': { type: 'boolean', description: 'only say what would be done' },
    debug: { type: 'boolean', description: 'log everything, as --verbose does' },
  },
  run: async (invocation, args) => {
    const intervalFlagMs = args.interval === undefined ? undefined : durationFlag('interval', args.interval, 1_000);
    const failpoints = parseFailpoints(invocation.env['WIN_AUTOMATION_SUPERVISOR_FAILPOINT']);
    if (args.debug) invocation.flags.verbose = true;
    const session = await invocation.open();
    const { loaded } = session;
    const logger = session.logger.child('supervisor');
    const lock = await takeLock(join(loaded.config.state_dir, 'supervisor.lock'), process.pid);
    if (typeof lock === 'number') {
      logger.warn('lock', 'another supervisor is at work', { pid: lock });
      await invocation.output.payload({ state: 'busy', pid: lock }, { state: 'busy', pid: lock });
      return args.once ? exitCodes.success : exitCodes.failure;
    }
    await using _lock = lock;
    const onePass = () => pass(invocation, session, failpoints, args['dry-run'] ?? false);
    if (args.once) return (await onePass()).exitCode;
    sdNotify('READY=1');
    for (;;) {
      const { state } = await onePass();
      sdNotify('WATCHDOG=1', `STATUS=${state}`);
      await sleep(jittered(intervalFlagMs ?? loaded.config.supervisor.interval), invocation.signal);
    }
  },
});

/** A tenth more or less, so that many supervisors do not all ask at once. */
const jittered = (intervalMs: Milliseconds): number => intervalMs * (0.9 + Math.random() * 0.2);

async function pass(
  invocation: Invocation,
  session: Session,
  failpoints: ReturnType<typeof parseFailpoints>,
  isDryRun: boolean,
): Promise<PassResult> {
  const { loaded, host } = session;
  const logger = session.logger.child('supervisor');
  const { failure_threshold, cooldown } = loaded.config.supervisor;
  using deadline = new Deadline(passTimeoutMs, 'the pass', invocation.signal);
  await using windows = openHostToCheck(session);
  const path = statePath(loaded.config.state_dir);
  const state = await readState(path, logger);
  const { result, after } = await runPass(state.hosts[host] ?? emptyHostState, {
    context: { loaded, host, windows, logger, signal: deadline.signal },
    rules: { threshold: failure_threshold, cooldownMs: cooldown },
    readyTimeoutMs,
    failpoints,
    isDryRun,
    now: () => new Date(),
  });
  await writeState(path, { ...state, hosts: { ...state.hosts, [host]: after } });
  await printPass(result, invocation.output);
  return result;
}
