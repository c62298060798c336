import { RootCommand } from '@bomb.sh/tab';
import { AutomationError } from '../core/errors.ts';
import { defineAction } from './command.ts';

const shells = ['bash', 'zsh', 'fish'];

export default defineAction({
  name: 'completion',
  description: 'Prints the completion script of a shell',
  examples: ['completion bash > ~/.local/share/bash-completion/completions/win-automation'],
  args: { shell: { type: 'positional', description: shells.join(', '), required: true } },
  run: async (_invocation, { shell }) => {
    if (!shells.includes(shell)) {
      throw new AutomationError('usage', `completion ${shell}: give one of ${shells.join(', ')}`);
    }
    // The library writes the script to standard output by itself.
    new RootCommand().setup('win-automation', 'win-automation', shell);
    return 0;
  },
});
