import { defineAction } from '../command.ts';

export default defineAction({
  name: 'check',
  description: 'Checks the configuration without connecting to anything: exit 0, or 2 with a line for each problem',
  examples: ['config check --config /etc/win-automation.json'],
  run: async ({ open, output }) => {
    const { loaded } = await open();
    const hosts = ['default', ...Object.keys(loaded.config.hosts)];
    await output.payload(
      { state: 'ok', file: loaded.file, hosts: hosts.join(','), warnings: loaded.warnings.length },
      { state: 'ok', file: loaded.file ?? null, hosts, warnings: loaded.warnings },
    );
    return 0;
  },
});
