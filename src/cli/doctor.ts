import process from 'node:process';
import { versions } from '../core/version.ts';
import { runChecks } from '../supervisor/checks.ts';
import type { Verdict } from '../supervisor/verdict.ts';
import { defineAction } from './command.ts';
import { printVerdicts, verdictDocument, verdictsExitCode } from './findings.ts';
import { openHostToCheck } from './windows/open-host.ts';

export default defineAction({
  name: 'doctor',
  description: 'Checks SSH, Aloha, Hatchet and Playwright, and tells what to do about what is wrong',
  examples: ['doctor', 'doctor --json'],
  run: async ({ open, output, signal }) => {
    const session = await open();
    const { loaded, logger, host } = session;
    await using windows = openHostToCheck(session);
    const verdicts = await runChecks({ loaded, host, windows, logger: logger.child('doctor'), signal });
    const summary = {
      state: worstState(verdicts),
      version: versions.version,
      bun_version: process.versions['bun'] ?? 'none',
      hatchet_sdk_version: versions.hatchetSdk,
      playwright_version: versions.playwright,
      config: loaded.file ?? 'none',
    };
    await printVerdicts(verdicts, output);
    await output.payload(summary, { ...summary, host, checks: verdicts.map(verdictDocument) });
    return verdictsExitCode(verdicts);
  },
});

function worstState(verdicts: readonly Verdict[]): 'failed' | 'degraded' | 'ok' {
  const has = (state: Verdict['state']) => verdicts.some((verdict) => verdict.state === state);
  return has('failed') ? 'failed' : has('degraded') || has('unknown') ? 'degraded' : 'ok';
}
