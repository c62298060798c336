import { isTimeout, sleep } from '../core/deadline.ts';
import { type Milliseconds, milliseconds } from '../core/duration.ts';
import { AutomationError, messageOf } from '../core/errors.ts';
import { requireGui } from '../windows/gui-gate.ts';
import type { WindowsHost } from '../windows/host.ts';
import { type AlohaApi, type AlohaOptions, type AlohaTask, openAloha } from './client.ts';
import { isPassing, LogTail } from './log-tail.ts';
import { listScreenshotFolders, type RunFolders, runFolders } from './run-files.ts';
import { RunLog, type RunProgress } from './run-log.ts';

const pollMs = 500;
/** `/stop` acts between steps, and a step takes two calls of a model. */
const stopGraceMs = 60_000;
/** A stop right after the start can be lost: it is sent again. */
const stopAgainMs = 2_000;
/** A client that logs where we look says something at once. */
const firstWordMs = 15_000;
/** After so many looks without a word the client is asked whether it is still there. */
const silentLooks = 20;

/** What to do with the desktop. */
export interface AlohaRequest {
  readonly task: string;
  /** The most steps to take, 1 or more. */
  readonly maxSteps: number;
  readonly selectedScreen: number;
  readonly traceName: string;
  /** Does not wait for the end. */
  readonly isDetached: boolean;
}

export type AlohaState = 'completed' | 'step_limit' | 'failed' | 'stopped' | 'timeout' | 'started' | 'busy';

export interface AlohaResult {
  readonly state: AlohaState;
  /** Aloha's own name of the run, where its log told it. */
  readonly taskId: string | undefined;
  readonly steps: number;
  readonly maxSteps: number;
  readonly message: string;
  readonly durationMs: Milliseconds;
  /** What the run left on Windows; undefined where its log could not be read. */
  readonly folders: RunFolders | undefined;
  /** The signal's reason, where that is what stopped it. */
  readonly stoppedBy: unknown;
}

export interface AlohaRunOptions extends AlohaOptions {
  readonly onProgress?: (progress: RunProgress & { readonly maxSteps: number }) => void;
}

/**
 * Lets Aloha do a task on the desktop, and follows it to its end by the client's log: over HTTP the client only says that a
 * thread was started. Once the signal is aborted the run is stopped, and its end waited for.
 *
 * @throws AutomationError `gui_blocked`, and what `openAloha` and its methods throw before the run is started
 */
export async function runAloha(
  host: WindowsHost,
  request: AlohaRequest,
  options: AlohaRunOptions,
): Promise<AlohaResult> {
  const { aloha, signal } = options;
  const startedMs = performance.now();
  const result = (state: AlohaState, message: string, more: Partial<AlohaResult> = {}): AlohaResult => ({
    state,
    message,
    taskId: undefined,
    steps: 0,
    maxSteps: request.maxSteps,
    durationMs: milliseconds(Math.round(performance.now() - startedMs)),
    folders: undefined,
    stoppedBy: undefined,
    ...more,
  });
  await requireGui(host, signal);
  if (!/^[\n\r\t -~]*$/.test(request.task)) {
    host.logger.warn('run', 'the task has characters outside ASCII: Aloha reads them, but can not type them');
  }
  await using api = await openAloha(host, options);
  const isFollowed = aloha.dir !== undefined && !request.isDetached;
  const tail = isFollowed ? await LogTail.open(host, aloha.dir, signal) : undefined;
  const before = isFollowed ? await listScreenshotFolders(host, aloha.dir, signal) : [];
  if (!(await api.start(taskOf(request, aloha.guest_server_url)))) return result('busy', 'Aloha is doing another task');
  if (tail === undefined || aloha.dir === undefined) {
    const why = request.isDetached ? 'it was not waited for' : 'aloha.dir is not set, so that its log can not be read';
    return result('started', `only known to have been started: ${why}`);
  }
  const log = new RunLog();
  const followed = await follow(api, tail, log, request, options, host);
  const { taskId, step: steps } = log.progress;
  // The signal may be aborted by now; what the run left is worth a moment of its own.
  const folders = await runFolders(host, aloha.dir, taskId, before, AbortSignal.timeout(stopGraceMs));
  return result(followed.state, followed.message, { taskId, steps, folders, stoppedBy: followed.stoppedBy });
}

/** What goes to Aloha. The published client takes one step less than it is told. */
function taskOf({ task, maxSteps, selectedScreen, traceName }: AlohaRequest, guestServerUrl: string): AlohaTask {
  return {
    task,
    selected_screen: selectedScreen,
    trace_id: traceName,
    server_url: `${guestServerUrl}/generate_action`,
    max_steps: maxSteps + 1,
  };
}

type Followed = Pick<AlohaResult, 'state' | 'message' | 'stoppedBy'>;

async function follow(
  api: AlohaApi,
  tail: LogTail,
  log: RunLog,
  { maxSteps }: AlohaRequest,
  { signal, onProgress }: AlohaRunOptions,
  host: WindowsHost,
): Promise<Followed> {
  const isOver = async (whileSignal: AbortSignal) => {
    log.feed(await tail.read(whileSignal));
    onProgress?.({ ...log.progress, maxSteps });
    return log.progress.end !== undefined;
  };
  try {
    if (!(await untilOver(isOver, () => log.hasBegun, api, signal, host))) {
      const message = `only known to have been started: ${tail.path} tells nothing of it`;
      return { state: 'started', message, stoppedBy: undefined };
    }
  } catch (error) {
    if (!signal.aborted) return { state: 'failed', message: messageOf(error), stoppedBy: undefined };
    const message = await stopAndWait(isOver, api, host);
    return { state: isTimeout(signal.reason) ? 'timeout' : 'stopped', message, stoppedBy: signal.reason };
  }
  return { ...verdictOf(log.progress, maxSteps), stoppedBy: undefined };
}

/** @returns false if the log tells nothing at all */
async function untilOver(
  isOver: (signal: AbortSignal) => Promise<boolean>,
  hasBegun: () => boolean,
  api: AlohaApi,
  signal: AbortSignal,
  host: WindowsHost,
): Promise<boolean> {
  const startedMs = performance.now();
  for (let look = 1; ; look += 1) {
    try {
      if (await isOver(signal)) return true;
    } catch (error) {
      // The run goes on inside Windows whatever becomes of our connection.
      if (signal.aborted || !isPassing(error)) throw error;
      host.logger.warn('follow', 'the log can not be read for the moment', { err: messageOf(error) });
    }
    if (!hasBegun() && performance.now() - startedMs > firstWordMs) return false;
    // A client that died will never log its end.
    if (look % silentLooks === 0) await api.askClient();
    await sleep(pollMs, signal);
  }
}

/** @returns what became of it, for a person */
async function stopAndWait(
  isOver: (signal: AbortSignal) => Promise<boolean>,
  api: AlohaApi,
  host: WindowsHost,
): Promise<string> {
  const grace = AbortSignal.timeout(stopGraceMs);
  let lastSentMs = Number.NEGATIVE_INFINITY;
  try {
    for (;;) {
      if (performance.now() - lastSentMs > stopAgainMs) {
        lastSentMs = performance.now();
        await api.stop(grace);
      }
      if (await isOver(grace)) return 'it was stopped';
      await sleep(pollMs / 2, grace);
    }
  } catch (error) {
    host.logger.warn('stop', 'the run may still be going on', { err: messageOf(error) });
    return `it was asked to stop, but its end was not seen within ${stopGraceMs / 1000} s`;
  }
}

function verdictOf({ step, end }: RunProgress, maxSteps: number): Pick<AlohaResult, 'state' | 'message'> {
  if (end === undefined) throw new AutomationError('internal', 'a run that is not over has no verdict');
  if (end.kind !== 'unfinished') return { state: end.kind, message: end.message };
  if (step >= maxSteps) return { state: 'step_limit', message: `it took all its ${maxSteps} steps without an end` };
  return { state: 'stopped', message: `somebody stopped it in step ${step} of ${maxSteps}` };
}
