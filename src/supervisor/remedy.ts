import type { CheckContext, Component, Verdict } from './verdict.ts';

/** What puts a component right, or tries to. */
export interface Remedy {
  readonly component: Component;
  /** What it would do about a verdict, a line each; empty where it knows nothing to do. */
  plan(verdict: Verdict, context: CheckContext): readonly string[];
  /** Does it. @returns what it changed, a line each @throws AutomationError where it could not */
  run(verdict: Verdict, context: CheckContext): Promise<readonly string[]>;
}
