import * as v from 'valibot';
import { type AlohaResult, runAloha } from '../../aloha/run.ts';
import { fetchRunFolders } from '../../aloha/run-files.ts';
import { hostConfig } from '../../config/load.ts';
import { messageOf } from '../../core/errors.ts';
import { holds } from '../../windows/exec.ts';
import { defineJobType, type JobContext, type JobOutcome } from '../job-type.ts';
import { idempotentCheck } from './run-input.ts';

const fetchTimeoutMs = 120_000;

/** A task for the GUI agent. */
export const alohaRun = defineJobType({
  name: 'aloha.run',
  description: 'a task for the GUI agent on the desktop',
  isGui: true,
  needsHost: true,
  input: v.strictObject({
    task: v.pipe(v.string(), v.regex(/\S/, 'is empty'), v.maxLength(20_000)),
    max_steps: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000))),
    selected_screen: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(15))),
    trace_name: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{1,128}$/))),
    detach: v.optional(v.boolean(), false),
    idempotent_check: idempotentCheck,
  }),
  run: async (input, context) => {
    const { windows, loaded, host, signal } = context;
    const { aloha } = hostConfig(loaded.config, host);
    if (input.idempotent_check !== undefined && (await holds(windows, input.idempotent_check, signal))) {
      return { isSuccess: true, result: { state: 'skipped' } };
    }
    const request = {
      task: input.task,
      maxSteps: input.max_steps ?? aloha.max_steps,
      selectedScreen: input.selected_screen ?? aloha.selected_screen,
      traceName: input.trace_name ?? aloha.trace_name,
      isDetached: input.detach,
    };
    const result = await runAloha(windows, request, {
      aloha,
      timeoutMs: loaded.config.timeout,
      attempts: loaded.config.retry.attempts,
      signal,
      onProgress: ({ step, maxSteps }) => context.progress({ label: `step ${step}`, done: step, total: maxSteps }),
    });
    return outcomeOf(result, await keep(result, context));
  },
});

/** Brings over what the run left. A run is not a failure because its pictures could not be had. */
async function keep(result: AlohaResult, { artifacts, windows, logger }: JobContext): Promise<number> {
  const { state, taskId, steps, maxSteps, message, durationMs, folders } = result;
  const document = { state, task_id: taskId ?? null, steps, max_steps: maxSteps, message, duration_ms: durationMs };
  await artifacts.text('aloha', 'aloha/response.json', `${JSON.stringify(document, undefined, 2)}\n`);
  if (folders === undefined || folders.steps.length + folders.screenshots.length === 0) return 0;
  try {
    const fetched = await fetchRunFolders(
      windows,
      folders,
      await artifacts.place('aloha/run'),
      AbortSignal.timeout(fetchTimeoutMs),
    );
    await artifacts.addFolder('aloha', 'aloha/run');
    return fetched;
  } catch (error) {
    logger.warn('aloha_run', 'what the run left could not be fetched', { err: messageOf(error) });
    return 0;
  }
}

function outcomeOf(result: AlohaResult, files: number): JobOutcome {
  const { state, taskId, steps, maxSteps, message, durationMs, stoppedBy } = result;
  const isSuccess = state === 'completed' || state === 'started';
  return {
    isSuccess,
    result: { state, task_id: taskId ?? null, steps, max_steps: maxSteps, files, duration_ms: durationMs, message },
    ...(isSuccess ? {} : { error: { code: 'aloha_failed', message: `${state}: ${message}` } }),
    ...(stoppedBy === undefined ? {} : { stoppedBy }),
  };
}
