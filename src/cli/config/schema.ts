import { configJsonSchema } from '../../config/json-schema.ts';
import { defineAction } from '../command.ts';

export default defineAction({
  name: 'schema',
  description: 'Prints the JSON Schema of the configuration file',
  examples: ['config schema > win-automation.schema.json'],
  run: async ({ output }) => {
    await output.text(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    return 0;
  },
});
