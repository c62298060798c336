import { join } from 'node:path';
import { removeLocalHatchet } from '../../config/local-hatchet.ts';
import { stopContainers } from '../../hatchet/container.ts';
import { defineAction } from '../command.ts';

export default defineAction({
  name: 'down',
  description: 'Stops what hatchet up started in containers; the database stays unless it is told otherwise',
  examples: ['hatchet down', 'hatchet down --with-data'],
  args: {
    'with-data': { type: 'boolean', description: 'remove the database and the keys as well: every job is gone' },
  },
  run: async (invocation, args) => {
    const { loaded, logger } = await invocation.open();
    const { state_dir } = loaded.config;
    const options = { dir: join(state_dir, 'hatchet'), logger, signal: invocation.signal };
    await stopContainers(args['with-data'] ?? false, options);
    await removeLocalHatchet(state_dir);
    const document = { state: 'down', data: args['with-data'] ? 'removed' : 'kept' };
    await invocation.output.payload(document, document);
    return 0;
  },
});
