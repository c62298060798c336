import { pathToFileURL } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { abortable } from '../core/deadline.ts';
import { AutomationError, messageOf } from '../core/errors.ts';
import type { LogFields, Logger } from '../core/logger.ts';
import { type RemoteBrowser, settled } from './client.ts';

/** Saving what a failure looked like, and closing, must not hold a job up. */
const cleanUpTimeoutMs = 10_000;
/** Each step of it, where a deadline has passed or somebody gave up. */
const cleanUpAfterAbortMs = 2_000;

/** What a flow does with the page: our own for `--url`, or the user's module. */
export type Flow = (flow: FlowContext) => Promise<unknown>;

export interface FlowContext {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly browser: RemoteBrowser['browser'];
  readonly params: Readonly<Record<string, string>>;
  artifact(name: string, content: string | Uint8Array): Promise<void>;
  log(message: string, fields?: LogFields): void;
  readonly signal: AbortSignal;
}

export interface FlowOptions {
  readonly params: Readonly<Record<string, string>>;
  readonly isFullPage: boolean;
  /** Where the screenshot goes; undefined takes one only of a failure. */
  readonly wantsScreenshot: boolean;
  readonly wantsTrace: boolean;
  readonly wantsVideo: boolean;
  /** Files of this machine that artifacts are written to. */
  readonly place: (name: string) => Promise<string>;
  /** Takes up a file that was written. */
  readonly keep: (name: string) => Promise<void>;
  readonly writeArtifact: (name: string, content: string | Uint8Array) => Promise<void>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface FlowResult {
  readonly title: string;
  readonly url: string;
  readonly value: unknown;
}

/**
 * Loads a flow file. It runs in this process, with all its rights.
 *
 * @throws AutomationError `usage` if it can't be loaded or exports no function
 */
export async function loadFlow(path: string): Promise<Flow> {
  let loaded: { readonly default?: unknown };
  try {
    loaded = await import(pathToFileURL(path).href);
  } catch (error) {
    throw new AutomationError('usage', `flow ${path} can't be loaded: ${messageOf(error)}`, { cause: error });
  }
  if (typeof loaded.default === 'function') return loaded.default as Flow;
  throw new AutomationError('usage', `flow ${path}: its default export is no function`, {
    hint: 'win-automation playwright types prints what a flow looks like',
  });
}

/**
 * Runs a flow in a fresh browser context and leaves what was asked for; of a failure, always the screenshot and the trace.
 * A flow that hangs ends with the signal, and its pages are closed.
 *
 * @throws AutomationError `flow_failed` with the flow's own words, `http_unreachable` if the server went away, or the
 *   signal's reason
 */
export async function runFlow(remote: RemoteBrowser, flow: Flow, options: FlowOptions): Promise<FlowResult> {
  const { signal, logger } = options;
  const cleanUpMs = () => (signal.aborted ? cleanUpAfterAbortMs : cleanUpTimeoutMs);
  const video = options.wantsVideo ? { recordVideo: { dir: await options.place('video') } } : {};
  const context = await orLost(abortable(remote.browser.newContext(video), signal), remote, signal);
  try {
    await orLost(abortable(context.tracing.start({ screenshots: true, snapshots: true }), signal), remote, signal);
    const page = await orLost(abortable(context.newPage(), signal), remote, signal);
    const disconnected = new Promise<never>((_resolve, reject) =>
      remote.browser.once('disconnected', () => reject(gone())),
    );
    disconnected.catch(() => undefined);
    const flowContext: FlowContext = {
      page,
      context,
      browser: remote.browser,
      params: options.params,
      artifact: options.writeArtifact,
      log: (message, fields) => logger.info('flow', message, fields),
      signal,
    };
    try {
      const value = await abortable(Promise.race([flow(flowContext), disconnected]), signal);
      // A page may block its thread, and then answers nothing any more.
      const result = { title: await abortable(page.title(), signal), url: page.url(), value: value ?? null };
      if (options.wantsScreenshot) await abortable(screenshot(page, options), signal);
      await abortable(stopTrace(context, options, options.wantsTrace), signal);
      return result;
    } catch (error) {
      if (remote.browser.isConnected()) {
        await settled(screenshot(page, options), cleanUpMs());
        await settled(stopTrace(context, options, true), cleanUpMs());
      }
      signal.throwIfAborted();
      throw failure(error, remote);
    }
  } finally {
    const pages = context.pages();
    await settled(context.close(), cleanUpMs());
    if (options.wantsVideo) await settled(keepVideos(pages, options), cleanUpMs());
  }
}

async function screenshot(page: Page, { isFullPage, place, keep }: FlowOptions): Promise<void> {
  await page.screenshot({ path: await place('screenshot.png'), fullPage: isFullPage, timeout: cleanUpTimeoutMs });
  await keep('screenshot.png');
}

async function stopTrace(context: BrowserContext, { place, keep }: FlowOptions, isWanted: boolean): Promise<void> {
  if (!isWanted) return void (await context.tracing.stop());
  await context.tracing.stop({ path: await place('trace.zip') });
  await keep('trace.zip');
}

async function keepVideos(pages: readonly Page[], { place, keep }: FlowOptions): Promise<void> {
  for (const [i, page] of pages.entries()) {
    await page.video()?.saveAs(await place(`video-${i + 1}.webm`));
    await keep(`video-${i + 1}.webm`);
  }
}

const gone = () =>
  new AutomationError('http_unreachable', 'the Playwright server went away', {
    hint: 'win-automation playwright health tells whether it is back',
  });

async function orLost<T>(work: Promise<T>, remote: RemoteBrowser, signal: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (error) {
    signal.throwIfAborted();
    throw failure(error, remote);
  }
}

function failure(error: unknown, remote: RemoteBrowser): AutomationError {
  if (error instanceof AutomationError) return error;
  if (!remote.browser.isConnected()) return gone();
  if (/ffmpeg-\d+/.test(messageOf(error))) {
    return new AutomationError('flow_failed', "a video needs Playwright's ffmpeg beside the server", {
      hint: 'on Windows: npx playwright install ffmpeg',
      cause: error,
    });
  }
  return new AutomationError('flow_failed', `the flow failed: ${messageOf(error)}`, { cause: error });
}
