import { sleep } from '../core/deadline.ts';
import { milliseconds } from '../core/duration.ts';
import { messageOf } from '../core/errors.ts';
import { exitCodes, worstExitCode } from '../core/exit-codes.ts';
import { wrong } from '../core/finding.ts';
import { afterPass, type Breaker, type BreakerMode, type BreakerRules, closedBreaker, modeOf } from './breaker.ts';
import { checks } from './checks.ts';
import { alohaRemedies } from './remedies/aloha.ts';
import { playwrightRemedy } from './remedies/playwright.ts';
import type { Remedy } from './remedy.ts';
import { type HostState, withEvents } from './state-file.ts';
import { type CheckContext, type Component, components, type Verdict } from './verdict.ts';

const remedies: readonly Remedy[] = [...alohaRemedies, playwrightRemedy];
const askAgainMs = 500;

/** What became of a component's remedy in a pass. */
export type RemedyState = 'none' | 'done' | 'failed' | 'held' | 'planned' | 'impossible';

export interface ComponentResult {
  readonly verdict: Verdict;
  readonly breaker: BreakerMode;
  readonly remedy: RemedyState;
  /** What was changed, or what would be under `isDryRun`, or why nothing could be. */
  readonly changes: readonly string[];
}

export interface PassResult {
  readonly host: string;
  readonly state: 'healthy' | 'degraded' | 'failed';
  readonly components: readonly ComponentResult[];
  readonly repaired: number;
  readonly durationMs: number;
  readonly exitCode: number;
}

export interface PassOptions {
  readonly context: CheckContext;
  readonly rules: BreakerRules;
  /** How long a component may take to be well after its remedy. */
  readonly readyTimeoutMs: number;
  readonly failpoints: ReadonlySet<Component>;
  readonly isDryRun: boolean;
  readonly now: () => Date;
}

/**
 * One pass over a host: every check side by side, then in the reference's order a remedy for what failed, once, where the
 * breaker lets it, and its check again until it holds.
 *
 * @returns the result, and the host's memory for the next pass
 */
export async function runPass(
  before: HostState,
  options: PassOptions,
): Promise<{ result: PassResult; after: HostState }> {
  const { context, now } = options;
  const startedMs = performance.now();
  const found = await Promise.all(components.map((component) => check(component, options)));
  const isSshDown = found[0]?.state === 'failed';
  const results: ComponentResult[] = [];
  for (const verdict of found) {
    context.signal.throwIfAborted();
    results.push(await mend(verdict, before.breakers[verdict.component] ?? closedBreaker, isSshDown, options));
  }
  const result = summarize(context.host, results, Math.round(performance.now() - startedMs));
  return { result, after: remember(before, result, options, now()) };
}

async function check(component: Component, { context, failpoints }: PassOptions): Promise<Verdict> {
  if (!failpoints.has(component)) return checks[component](context);
  context.logger.warn('failpoint', 'a failpoint makes this check fail', { component });
  const finding = wrong('failpoint', 'made to fail by WIN_AUTOMATION_SUPERVISOR_FAILPOINT', []);
  return { component, ...finding, durationMs: milliseconds(0) };
}

async function mend(
  verdict: Verdict,
  memory: Breaker,
  isSshDown: boolean,
  options: PassOptions,
): Promise<ComponentResult> {
  const { context, rules, isDryRun, now } = options;
  const breaker = modeOf(memory, rules, now().getTime());
  const done = (remedy: RemedyState, changes: readonly string[] = [], after = verdict): ComponentResult => {
    return { verdict: after, breaker, remedy, changes };
  };
  const remedy = remedies.find(({ component }) => component === verdict.component);
  if (verdict.state !== 'failed' || remedy === undefined) return done('none');
  if (isSshDown) return done('impossible', ['no remedy without SSH']);
  if (breaker === 'open') return done('held', ['the breaker is open']);
  const plan = remedy.plan(verdict, context);
  if (plan.length === 0) return done('none');
  if (isDryRun) return done('planned', plan);
  try {
    const changes = await remedy.run(verdict, context);
    for (const change of changes) context.logger.info('remedy', change, { component: verdict.component });
    const after = await untilReady(verdict, options);
    return done(after.state === 'ok' ? 'done' : 'failed', changes, after);
  } catch (error) {
    context.signal.throwIfAborted();
    context.logger.error('remedy', messageOf(error), { component: verdict.component });
    return done('failed', [messageOf(error)]);
  }
}

/** Asks again until it holds or its time is over: a program that was started is not there at once. */
async function untilReady(verdict: Verdict, options: PassOptions): Promise<Verdict> {
  const { component } = verdict;
  const { failpoints, context, readyTimeoutMs } = options;
  // What is made to fail will not get well by waiting.
  if (failpoints.has(component)) return verdict;
  const endMs = performance.now() + readyTimeoutMs;
  for (;;) {
    const after = await check(component, options);
    if (after.state === 'ok' || performance.now() > endMs) return after;
    await sleep(askAgainMs, context.signal);
  }
}

function summarize(host: string, results: readonly ComponentResult[], durationMs: number): PassResult {
  const hasFailed = results.some(({ verdict }) => verdict.state === 'failed');
  const isDegraded = results.some(({ verdict }) => verdict.state === 'degraded' || verdict.state === 'unknown');
  const ssh = results.find(({ verdict }) => verdict.component === 'ssh')?.verdict;
  // Unreachable is the one thing that is told apart; what else failed is a failure.
  const isUnreachable = ssh?.state === 'failed' && ssh.reason !== 'failpoint';
  return {
    host,
    state: hasFailed ? 'failed' : isDegraded ? 'degraded' : 'healthy',
    components: results,
    repaired: results.filter(({ remedy }) => remedy === 'done').length,
    durationMs,
    exitCode: worstExitCode([hasFailed ? exitCodes.failure : 0, isUnreachable ? exitCodes.unavailable : 0]),
  };
}

function remember(before: HostState, result: PassResult, { rules, isDryRun }: PassOptions, now: Date): HostState {
  const at = now.toISOString();
  const last = before.last_pass?.components ?? [];
  const breakers = Object.fromEntries(
    result.components.map(({ verdict }) => {
      const memory = before.breakers[verdict.component] ?? closedBreaker;
      return [verdict.component, afterPass(memory, verdict.state !== 'failed', rules, now.getTime())];
    }),
  );
  const events = result.components.flatMap(({ verdict, remedy, changes }) => {
    const { component, state, detail } = verdict;
    const was = last.find((one) => one.component === component)?.state;
    const isNews = was !== undefined && was !== state;
    return [
      ...(isNews ? [{ at, component, event: `${was}->${state}`, detail }] : []),
      ...(remedy === 'done' || remedy === 'failed'
        ? [{ at, component, event: `remedy_${remedy}`, detail: changes.join('; ') }]
        : []),
    ];
  });
  return {
    breakers: isDryRun ? before.breakers : breakers,
    last_pass: {
      at,
      state: result.state,
      duration_ms: result.durationMs,
      components: result.components.map(({ verdict, breaker, remedy }) => {
        const { component, state, reason, detail } = verdict;
        return { component, state, reason, detail, breaker, remedy };
      }),
    },
    history: withEvents(before.history, events),
  };
}
