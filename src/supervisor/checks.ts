import { checkAlohaClient, checkAlohaServer } from './checks/aloha.ts';
import { checkHatchet } from './checks/hatchet.ts';
import { checkPlaywright } from './checks/playwright.ts';
import { checkSsh } from './checks/ssh.ts';
import type { Check, CheckContext, Verdict } from './verdict.ts';

const checks: readonly Check[] = [checkSsh, checkAlohaServer, checkAlohaClient, checkHatchet, checkPlaywright];

/** Runs every check side by side and returns the verdicts in the reference's order. */
export function runChecks(context: CheckContext): Promise<Verdict[]> {
  return Promise.all(checks.map((check) => check(context)));
}
