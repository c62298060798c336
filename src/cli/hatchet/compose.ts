import { resolve } from 'node:path';
import { composeFile } from '../../hatchet/compose.ts';
import { writeCompose } from '../../hatchet/container.ts';
import { defineAction } from '../command.ts';

export default defineAction({
  name: 'compose',
  description:
    'Prints a compose file for hatchet-lite and PostgreSQL, or writes it with passwords of its own beside it',
  examples: ['hatchet compose > compose.yaml', 'hatchet compose --out ./hatchet'],
  args: {
    out: {
      type: 'string',
      valueHint: 'FOLDER',
      description: 'write compose.yaml there, and .env (0600) if there is none',
    },
  },
  run: async ({ output }, args) => {
    if (args.out === undefined) {
      const compose = composeFile();
      if (output.isJson) await output.payload({}, { compose });
      else await output.text(compose);
      return 0;
    }
    const { composePath, envPath } = await writeCompose(resolve(args.out));
    const document = { state: 'written', compose: composePath, env: envPath };
    await output.payload(document, document);
    return 0;
  },
});
