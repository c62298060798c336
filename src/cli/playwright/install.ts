import { join } from 'node:path';
import { replaceFile } from '../../config/replace-file.ts';
import { Deadline } from '../../core/deadline.ts';
import { installPlaywright, makeWsPath } from '../../playwright/install.ts';
import { playwrightTarget } from '../../playwright/target.ts';
import { defineAction } from '../command.ts';
import { openHost } from '../windows/open-host.ts';

export default defineAction({
  name: 'install',
  description: 'Makes the Playwright server on Windows ready: files, secret, firewall, scheduled task',
  examples: ['playwright install', 'playwright install --rotate'],
  args: { rotate: { type: 'boolean', description: 'make a new secret path' } },
  run: async (invocation, args) => {
    const session = await invocation.open();
    const { loaded, host } = session;
    const isNew = args.rotate === true || loaded.secrets.playwrightWsPath === undefined;
    const secret = isNew ? makeWsPath() : undefined;
    const known =
      secret === undefined ? loaded : { ...loaded, secrets: { ...loaded.secrets, playwrightWsPath: secret } };
    using deadline = new Deadline(loaded.config.hatchet.job_timeout, 'the installation', invocation.signal);
    await using windows = openHost(session, true);
    const steps = await installPlaywright(windows, playwrightTarget(known, host), deadline.signal);
    // Only now: as long as Windows has the old secret, so has this file.
    const file = join(loaded.config.state_dir, `playwright-${host}.ws_path`);
    if (secret !== undefined) await replaceFile(file, `${secret}\n`);
    const summary = {
      state: 'completed',
      host,
      ...(secret === undefined
        ? {}
        : { ws_path_file: file, next: `export WIN_AUTOMATION_PLAYWRIGHT_WS_PATH_FILE=${file}` }),
    };
    const { output } = invocation;
    if (!output.isJson) for (const step of steps) await output.payload({ ...step }, undefined);
    await output.payload(summary, { ...summary, steps });
    return 0;
  },
});
