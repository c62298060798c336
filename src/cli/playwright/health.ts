import { playwrightTarget } from '../../playwright/target.ts';
import { checkPlaywright } from '../../supervisor/checks/playwright.ts';
import { defineAction } from '../command.ts';
import { printVerdicts, verdictDocument, verdictsExitCode } from '../findings.ts';
import { openHostToCheck } from '../windows/open-host.ts';

export default defineAction({
  name: 'health',
  description: 'Really connects to the Playwright server: secret, version and browser',
  examples: ['playwright health', 'playwright health --json'],
  run: async ({ open, output, signal }) => {
    const session = await open();
    const { loaded, host } = session;
    // Here, other than in doctor, a secret that is not set is an error.
    playwrightTarget(loaded, host);
    await using windows = openHostToCheck(session);
    const verdict = await checkPlaywright({
      loaded,
      host,
      windows,
      logger: session.logger.child('playwright'),
      signal,
    });
    await printVerdicts([verdict], output);
    if (output.isJson) await output.payload({}, { host, checks: [verdictDocument(verdict)] });
    return verdictsExitCode([verdict]);
  },
});
