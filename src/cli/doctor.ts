import { join } from 'node:path';
import process from 'node:process';
import { AutomationError } from '../core/errors.ts';
import { versions } from '../core/version.ts';
import { runChecks } from '../supervisor/checks.ts';
import { takeLock } from '../supervisor/lock-file.ts';
import type { Verdict } from '../supervisor/verdict.ts';
import { defineAction } from './command.ts';
import { printVerdicts, verdictDocument, verdictsExitCode } from './findings.ts';
import { fleetFlags, onHosts } from './fleet.ts';
import type { Invocation, Session } from './invocation.ts';
import { onePass } from './supervisor/one-pass.ts';
import { openHostToCheck } from './windows/open-host.ts';

export default defineAction({
  name: 'doctor',
  description: 'Checks SSH, Aloha, Hatchet and Playwright, and tells what to do about what is wrong',
  examples: ['doctor', 'doctor --json', 'doctor --fix', 'doctor --all-hosts'],
  args: { fix: { type: 'boolean', description: 'let the supervisor repair what it can, then tell' }, ...fleetFlags },
  run: (invocation, args) => onHosts(invocation, args, (one) => examine(one, args.fix ?? false)),
});

async function examine(invocation: Invocation, isFixing: boolean): Promise<number> {
  const { output } = invocation;
  const session = await invocation.open();
  const { loaded, host } = session;
  const verdicts = isFixing ? await repaired(invocation, session) : await asked(invocation, session);
  const summary = {
    state: worstState(verdicts),
    version: versions.version,
    bun_version: process.versions['bun'] ?? 'none',
    hatchet_sdk_version: versions.hatchetSdk,
    playwright_version: versions.playwright,
    ...Object.assign({}, ...verdicts.map((verdict) => verdict.versions ?? {})),
    config: loaded.file ?? 'none',
  };
  await printVerdicts(verdicts, output);
  await output.payload(summary, { ...summary, host, checks: verdicts.map(verdictDocument) });
  return verdictsExitCode(verdicts);
}

async function asked({ signal }: Invocation, session: Session): Promise<readonly Verdict[]> {
  const { loaded, host, logger } = session;
  await using windows = openHostToCheck(session);
  return await runChecks({ loaded, host, windows, logger: logger.child('doctor'), signal });
}

async function repaired(invocation: Invocation, session: Session): Promise<readonly Verdict[]> {
  const lock = await takeLock(join(session.loaded.config.state_dir, 'supervisor.lock'), process.pid);
  if (typeof lock === 'number') {
    throw new AutomationError('job_state', `the supervisor with pid ${lock} is at work: it repairs by itself`);
  }
  await using _lock = lock;
  const { components } = await onePass(invocation, session, false);
  for (const { changes, remedy } of components) {
    if (remedy === 'done') for (const change of changes) session.logger.info('doctor', `repaired: ${change}`);
  }
  return components.map(({ verdict }) => verdict);
}

function worstState(verdicts: readonly Verdict[]): 'failed' | 'degraded' | 'ok' {
  const has = (state: Verdict['state']) => verdicts.some((verdict) => verdict.state === state);
  return has('failed') ? 'failed' : has('degraded') || has('unknown') ? 'degraded' : 'ok';
}
