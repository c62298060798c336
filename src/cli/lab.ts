import { join } from 'node:path';
import process from 'node:process';
import { durationFlag, milliseconds } from '../core/duration.ts';
import { serveControl } from '../lab/control.ts';
import { startLab } from '../lab/lab.ts';
import { type Command, defineAction } from './command.ts';

const lab = defineAction({
  name: 'lab',
  description:
    'A simulated Windows host on loopback, to try things on: prints the environment to use, runs until Ctrl-C',
  examples: ['lab', 'lab --powershell-start 400ms', 'lab fault locked', 'lab fault locked --off'],
  args: {
    'powershell-start': {
      type: 'string',
      valueHint: 'D',
      description: 'what starting powershell.exe takes (default: 0ms)',
    },
  },
  run: async (invocation, args) => {
    const startMs = args['powershell-start'];
    const powershellStartMs = startMs === undefined ? milliseconds(0) : durationFlag('powershell-start', startMs, 0);
    const { loaded, logger } = await invocation.open();
    const { state_dir } = loaded.config;
    const log = logger.child('lab');
    const dir = join(state_dir, `lab-${process.pid}`);
    const running = await startLab({ powershellStartMs, dir, note: (text) => log.warn('simulate', text) });
    const control = await serveControl(running, join(state_dir, 'lab.json'), process.pid);
    try {
      // The state folder too, so that `lab fault` in another terminal finds this lab.
      const env = { ...running.env, WIN_AUTOMATION_STATE_DIR: state_dir };
      if (invocation.output.isJson) await invocation.output.payload({}, { state: 'running', env });
      else await invocation.output.text(exportLines(env));
      log.info('lab', 'the lab runs until it is interrupted');
      await new Promise<void>((resolve) =>
        invocation.signal.addEventListener('abort', () => resolve(), { once: true }),
      );
    } finally {
      await control.close();
      await running.close();
    }
    return 0;
  },
});

const exportLines = (env: Readonly<Record<string, string>>) =>
  Object.entries(env)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`)
    .join('');

const command: Command = { ...lab, subCommands: { fault: async () => (await import('./lab/fault.ts')).default } };
export default command;
