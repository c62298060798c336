import { checkAlohaClient, checkAlohaServer } from '../../supervisor/checks/aloha.ts';
import { defineAction } from '../command.ts';
import { printVerdicts, verdictDocument, verdictsExitCode } from '../findings.ts';
import { openHostToCheck } from '../windows/open-host.ts';

export default defineAction({
  name: 'health',
  description: 'Whether the Aloha server and the Aloha client answer, each as itself',
  examples: ['aloha health', 'aloha health --json'],
  run: async ({ open, output, signal }) => {
    const session = await open();
    const { loaded, host } = session;
    await using windows = openHostToCheck(session);
    const context = { loaded, host, windows, logger: session.logger.child('aloha'), signal };
    const verdicts = await Promise.all([checkAlohaServer(context), checkAlohaClient(context)]);
    await printVerdicts(verdicts, output);
    if (output.isJson) await output.payload({}, { host, checks: verdicts.map(verdictDocument) });
    return verdictsExitCode(verdicts);
  },
});
