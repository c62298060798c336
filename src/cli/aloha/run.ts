import { AutomationError } from '../../core/errors.ts';
import { alohaRun } from '../../jobs/types/aloha-run.ts';
import { defineAction } from '../command.ts';
import { directFlags, directPayload, runDirectJob } from '../direct-job.ts';
import { idempotentCheckOf, idempotentFlags } from '../idempotent.ts';
import { wholeNumber, withoutUndefined } from '../job-input.ts';

/** The flags that make an `aloha.run` job. */
export const alohaFlags = {
  task: { type: 'string', valueHint: 'TEXT', description: 'what to do, in plain words' },
  'max-steps': { type: 'string', valueHint: 'N', description: 'the most steps to take (default: aloha.max_steps)' },
  'selected-screen': { type: 'string', valueHint: 'N', description: 'the screen (default: aloha.selected_screen)' },
  'trace-name': { type: 'string', valueHint: 'NAME', description: 'the taught trace (default: aloha.trace_name)' },
  detach: { type: 'boolean', description: 'start it, and do not wait for its end' },
} as const;

export default defineAction({
  name: 'run',
  description: 'Lets Aloha do a task on the desktop and follows it to its end',
  examples: [
    "aloha run --task 'Open Notepad and type hello' --max-steps 20",
    "aloha run --task 'Install updates' --idempotent --idempotent-check 'Test-Path C:\\done | % { if (-not $_) { exit 1 } }'",
  ],
  args: { ...alohaFlags, ...directFlags, ...idempotentFlags },
  run: async (invocation, args) => {
    if (args.task === undefined) throw new AutomationError('usage', 'no task: aloha run --task TEXT');
    const input = withoutUndefined({
      task: args.task,
      max_steps: wholeNumber('max-steps', args['max-steps']),
      selected_screen: wholeNumber('selected-screen', args['selected-screen']),
      trace_name: args['trace-name'],
      detach: args.detach,
      idempotent_check: idempotentCheckOf(args),
    });
    const ended = await runDirectJob(invocation, alohaRun, input, args.timeout);
    const payload = directPayload(ended);
    await invocation.output.payload(payload, payload);
    return ended.exitCode;
  },
});
