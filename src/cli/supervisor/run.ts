import { join } from 'node:path';
import process from 'node:process';
import { sleep } from '../../core/deadline.ts';
import { durationFlag, type Milliseconds } from '../../core/duration.ts';
import { exitCodes } from '../../core/exit-codes.ts';
import { parseFailpoints } from '../../supervisor/failpoints.ts';
import { takeLock } from '../../supervisor/lock-file.ts';
import type { PassResult } from '../../supervisor/pass.ts';
import { allTold } from '../../supervisor/supervise.ts';
import { defineAction } from '../command.ts';
import { fleetFlags, onHosts } from '../fleet.ts';
import { type HealthSource, serveHealth } from '../health-http.ts';
import type { Invocation } from '../invocation.ts';
import { sdNotify } from '../sd-notify.ts';
import { onePass } from './one-pass.ts';
import { printPass } from './print-pass.ts';

export default defineAction({
  name: 'run',
  description: 'Checks everything in turn and repairs what it can, until SIGTERM; with --once, one pass',
  examples: [
    'supervisor run',
    'supervisor run --once',
    'supervisor run --once --dry-run',
    'supervisor run --all-hosts',
  ],
  args: {
    once: { type: 'boolean', description: 'one pass: exit 0 healthy or repaired, 1 failed, 3 SSH unreachable' },
    interval: {
      type: 'string',
      valueHint: 'D',
      description: 'from one pass to the next (default: supervisor.interval)',
    },
    'dry-run': { type: 'boolean', description: 'only say what would be done' },
    listen: { type: 'string', valueHint: 'ADDRESS:PORT', description: 'serve /live, /ready and /metrics there' },
    debug: { type: 'boolean', description: 'log everything, as --verbose does' },
    ...fleetFlags,
  },
  run: async (invocation, args) => {
    const intervalFlagMs = args.interval === undefined ? undefined : durationFlag('interval', args.interval, 1_000);
    parseFailpoints(invocation.env['WIN_AUTOMATION_SUPERVISOR_FAILPOINT']);
    if (args.debug) invocation.flags.verbose = true;
    const { loaded, logger } = await invocation.open();
    const lock = await takeLock(join(loaded.config.state_dir, 'supervisor.lock'), process.pid);
    if (typeof lock === 'number') {
      logger.child('supervisor').warn('lock', 'another supervisor is at work', { pid: lock });
      await invocation.output.payload({ state: 'busy', pid: lock }, { state: 'busy', pid: lock });
      return args.once ? exitCodes.success : exitCodes.failure;
    }
    await using _lock = lock;
    const seen = new Map<string, PassResult>();
    await using _http = args.listen === undefined ? undefined : await serveHealth(args.listen, healthOf(seen));
    const passes = () =>
      onHosts(invocation, args, async (one: Invocation) => {
        const result = await onePass(one, await one.open(), args['dry-run'] ?? false);
        seen.set(result.host, result);
        await printPass(result, one.output);
        return result.exitCode;
      });
    try {
      if (args.once) return await passes();
      sdNotify('READY=1');
      for (;;) {
        const exitCode = await passes();
        sdNotify('WATCHDOG=1', `STATUS=${exitCode === 0 ? 'all is well' : 'something failed'}`);
        await sleep(jittered(intervalFlagMs ?? loaded.config.supervisor.interval), invocation.signal);
      }
    } finally {
      await allTold();
    }
  },
});

/** A tenth more or less, so that many supervisors do not all ask at once. */
const jittered = (intervalMs: Milliseconds): number => intervalMs * (0.9 + Math.random() * 0.2);

/** Ready once a pass is over; what the last one found of each component. */
const healthOf = (seen: ReadonlyMap<string, PassResult>): HealthSource => ({
  isReady: () => seen.size > 0,
  metrics: () => {
    const lines = [...seen.values()].flatMap(({ host, components }) =>
      components.map(({ verdict, breaker }) => {
        const labels = `{host="${host}",component="${verdict.component}"}`;
        const isUp = verdict.state === 'ok' || verdict.state === 'skipped' ? 1 : 0;
        return `win_automation_up${labels} ${isUp}\nwin_automation_breaker_open${labels} ${breaker === 'open' ? 1 : 0}\n`;
      }),
    );
    return `# TYPE win_automation_up gauge\n# TYPE win_automation_breaker_open gauge\n${lines.join('')}`;
  },
});
