import { join } from 'node:path';
import { AutomationError } from '../../core/errors.ts';
import { didYouMean } from '../../core/nearest.ts';
import { switchFault } from '../../lab/control.ts';
import { faults } from '../../lab/state.ts';
import { defineAction } from '../command.ts';

export default defineAction({
  name: 'fault',
  description: 'Breaks something in the lab that is running, or with --off mends it',
  examples: ['lab fault firewall', 'lab fault aloha-server-dead --off'],
  args: {
    name: { type: 'positional', description: faults.join(', '), required: true },
    off: { type: 'boolean', description: 'mend it' },
  },
  run: async ({ open, output, signal }, { name, off }) => {
    if (!faults.some((fault) => fault === name)) {
      throw new AutomationError('usage', `lab fault ${name}: no such fault${didYouMean(name, faults)}`, {
        hint: `there are ${faults.join(', ')}`,
      });
    }
    const { loaded } = await open();
    const on = await switchFault(join(loaded.config.state_dir, 'lab.json'), name, !off, signal);
    await output.payload(
      { state: 'switched', fault: name, on: !off, faults: on.join(',') },
      { state: 'switched', fault: name, on: !off, faults: on },
    );
    return 0;
  },
});
