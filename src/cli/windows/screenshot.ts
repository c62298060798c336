import { Deadline } from '../../core/deadline.ts';
import { AutomationError } from '../../core/errors.ts';
import { exitCodes } from '../../core/exit-codes.ts';
import { takeScreenshot } from '../../windows/screenshot.ts';
import { defineAction } from '../command.ts';
import { openHost } from './open-host.ts';

export default defineAction({
  name: 'screenshot',
  description: 'Takes a picture of the desktop; blocked, with exit 1, where it is locked, disconnected or empty',
  examples: ['windows screenshot --out desktop.png'],
  args: { out: { type: 'string', valueHint: 'FILE', description: 'the PNG file to write', required: true } },
  run: async (invocation, { out }) => {
    const session = await invocation.open();
    using deadline = new Deadline(session.loaded.config.hatchet.job_timeout, 'the screenshot', invocation.signal);
    await using host = openHost(session, true);
    try {
      const { width, height, sizeBytes } = await takeScreenshot(host, out, deadline.signal);
      const payload = { state: 'completed', host: session.host, path: out, width, height, size_bytes: sizeBytes };
      await invocation.output.payload(payload, payload);
      return exitCodes.success;
    } catch (error) {
      if (!(error instanceof AutomationError && error.code === 'gui_blocked')) throw error;
      const payload = { state: 'blocked', host: session.host, reason: error.fields['reason'], message: error.message };
      await invocation.output.payload(payload, payload);
      return exitCodes.failure;
    }
  },
});
