import { resolve } from 'node:path';
import { playwrightRun } from '../../jobs/types/playwright-run.ts';
import { flagValues } from '../arguments.ts';
import { defineAction } from '../command.ts';
import { directFlags, directPayload, runDirectJob } from '../direct-job.ts';
import { idempotentCheckOf, idempotentFlags } from '../idempotent.ts';
import { parseTextParameters, withoutUndefined } from '../job-input.ts';

/** The flags that make a `playwright.run` job. */
export const playwrightFlags = {
  url: { type: 'string', valueHint: 'URL', description: 'a page to open' },
  screenshot: { type: 'boolean', description: 'keep a screenshot of the page' },
  'full-page': { type: 'boolean', description: 'all of the page, not only what fits the window' },
  trace: { type: 'boolean', description: 'keep a trace for the Playwright trace viewer' },
  video: { type: 'boolean', description: "keep a video; needs Playwright's ffmpeg on Windows" },
  param: { type: 'string', valueHint: 'NAME=VALUE', description: 'a parameter of the flow; may be given again' },
} as const;

export default defineAction({
  name: 'run',
  description: 'Opens a page, or runs a flow of yours, in the browser on Windows',
  examples: [
    'playwright run --url https://example.com --screenshot --trace',
    'playwright run login.ts --param user=ada',
  ],
  args: {
    flow: {
      type: 'positional',
      description: 'a .ts or .mjs file whose default export drives the page',
      required: false,
    },
    ...playwrightFlags,
    ...directFlags,
    ...idempotentFlags,
  },
  run: async (invocation, args) => {
    const input = withoutUndefined({
      url: args.url,
      flow: args.flow === undefined ? undefined : resolve(args.flow),
      params: parseTextParameters(flagValues(invocation.args, 'param')),
      screenshot: args.screenshot,
      full_page: args['full-page'],
      trace: args.trace,
      video: args.video,
      idempotent_check: idempotentCheckOf(args),
    });
    const ended = await runDirectJob(invocation, playwrightRun, input, args.timeout);
    const payload = directPayload(ended);
    const { value, ...words } = payload as typeof payload & { readonly value?: unknown };
    await invocation.output.payload(
      { ...words, ...(value === undefined ? {} : { value: JSON.stringify(value) }) },
      payload,
    );
    return ended.exitCode;
  },
});
