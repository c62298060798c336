import { listSettings } from '../../config/show.ts';
import { defineAction } from '../command.ts';

export default defineAction({
  name: 'show',
  description: 'Prints the effective configuration and where each value came from; secrets are redacted',
  examples: ['config show', 'config show --config vm.json --json'],
  run: async ({ open, output }) => {
    const { loaded } = await open();
    const shown = listSettings(loaded);
    if (output.isJson) await output.payload({}, { file: loaded.file ?? null, settings: shown });
    else if (output.isTerminal) {
      await output.table(
        shown.map(({ key, value, origin }) => [key, String(value ?? '-'), output.paint('dim', origin)]),
      );
    } else
      for (const { key, value, origin } of shown) await output.payload({ key, value: value ?? '', origin }, undefined);
    return 0;
  },
});
