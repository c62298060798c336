import { checkAlohaClient, checkAlohaServer } from './checks/aloha.ts';
import { checkHatchet } from './checks/hatchet.ts';
import { checkPlaywright } from './checks/playwright.ts';
import { checkSsh } from './checks/ssh.ts';
import { type Check, type CheckContext, type Component, components, type Verdict } from './verdict.ts';

/** What asks after each component. */
export const checks: Readonly<Record<Component, Check>> = {
  ssh: checkSsh,
  aloha_server: checkAlohaServer,
  aloha_client: checkAlohaClient,
  hatchet: checkHatchet,
  playwright: checkPlaywright,
};

/** Runs every check side by side and returns the verdicts in the reference's order. */
export function runChecks(context: CheckContext): Promise<Verdict[]> {
  return Promise.all(components.map((component) => checks[component](context)));
}
