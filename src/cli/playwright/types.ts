import text from '../../playwright/flow.d.ts.txt' with { type: 'text' };
import { defineAction } from '../command.ts';

export default defineAction({
  name: 'types',
  description: 'Prints the types of a flow file, for an editor',
  examples: ['playwright types > win-automation.d.ts'],
  run: async ({ output }) => {
    await output.text(text);
    return 0;
  },
});
