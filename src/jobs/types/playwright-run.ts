import { writeFile } from 'node:fs/promises';
import * as v from 'valibot';
import { connectBrowser } from '../../playwright/client.ts';
import { type Flow, loadFlow, runFlow } from '../../playwright/flow.ts';
import { playwrightTarget } from '../../playwright/target.ts';
import { holds } from '../../windows/exec.ts';
import { defineJobType } from '../job-type.ts';
import { idempotentCheck } from './run-input.ts';

/** A page or a flow in the browser on Windows. */
export const playwrightRun = defineJobType({
  name: 'playwright.run',
  description: 'a page, or a flow of yours, in the browser on Windows',
  isGui: false,
  needsHost: true,
  input: v.pipe(
    v.strictObject({
      url: v.optional(v.pipe(v.string(), v.url(), v.regex(/^(https?|data|about):/, 'is no http or https address'))),
      /** An absolute path on the machine that runs the job. */
      flow: v.optional(
        v.pipe(v.string(), v.regex(/^\/.+\.(ts|js|mts|mjs)$/, 'is no absolute path of a .ts or .mjs file')),
      ),
      params: v.optional(v.record(v.string(), v.string()), {}),
      screenshot: v.optional(v.boolean(), false),
      full_page: v.optional(v.boolean(), false),
      trace: v.optional(v.boolean(), false),
      video: v.optional(v.boolean(), false),
      idempotent_check: idempotentCheck,
    }),
    v.check(({ url, flow }) => (url === undefined) !== (flow === undefined), 'give a url or a flow'),
  ),
  run: async (input, context) => {
    const { loaded, host, windows, signal, artifacts, logger } = context;
    if (input.idempotent_check !== undefined && (await holds(windows, input.idempotent_check, signal))) {
      return { isSuccess: true, result: { state: 'skipped' } };
    }
    const flow = input.flow === undefined ? goTo(input.url ?? '') : await loadFlow(input.flow);
    const startedMs = performance.now();
    await using remote = await connectBrowser(playwrightTarget(loaded, host), windows, signal);
    const path = (name: string) => `playwright/${name}`;
    const { title, url, value } = await runFlow(remote, flow, {
      params: input.params,
      isFullPage: input.full_page,
      wantsScreenshot: input.screenshot,
      wantsTrace: input.trace,
      wantsVideo: input.video,
      place: (name) => artifacts.place(path(name)),
      keep: (name) => artifacts.add('playwright', path(name)),
      writeArtifact: async (name, content) => {
        await writeFile(await artifacts.place(path(name)), content, { mode: 0o600 });
        await artifacts.add('playwright', path(name));
      },
      logger,
      signal,
    });
    const durationMs = Math.round(performance.now() - startedMs);
    return { isSuccess: true, result: { state: 'completed', title, url, value, duration_ms: durationMs } };
  },
});

const goTo =
  (url: string): Flow =>
  async ({ page }) => {
    await page.goto(url);
  };
