import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { sleep } from '../core/deadline.ts';
import { messageOf } from '../core/errors.ts';
import { localPath } from './paths.ts';
import { desktopPng } from './png.ts';
import type { LabState } from './state.ts';

/** Where the lab's Aloha lives on the simulated Windows. */
export const labAlohaDir = 'C:\\Aloha_Act';

/** The simulated model says STOP in this step. */
const stopStep = 3;

/** What a run is started with. Fields that a request leaves out keep their value. */
interface Parameters {
  readonly task: string;
  readonly selected_screen: unknown;
  readonly trace_id: unknown;
  readonly server_url: unknown;
  readonly max_steps: unknown;
}

export const requestSchema = v.looseObject({ task: v.string() });

/**
 * The Aloha client's runs, as ShowUI-Aloha does them: one at a time, fire and forget, told in its log alone. The log's
 * words are the original's, since they are all that tells how a run ended.
 */
export class LabAlohaRuns {
  /** What a step takes. */
  stepMs = 200;
  readonly #state: LabState;
  #parameters: Parameters = {
    task: '',
    selected_screen: 0,
    trace_id: 'example_trace',
    server_url: 'http://127.0.0.1:7887/generate_action',
    max_steps: 50,
  };
  #stop: AbortController | undefined;

  constructor(state: LabState) {
    this.#state = state;
    mkdirSync(localPath(state, labAlohaDir), { recursive: true });
  }

  get isOn(): boolean {
    return this.#stop !== undefined;
  }

  /** What the last request came to. */
  get parameters(): Parameters {
    return this.#parameters;
  }

  start(request: v.InferOutput<typeof requestSchema>): void {
    this.#parameters = { ...this.#parameters, ...request };
    this.#stop = new AbortController();
    void this.#run(this.#parameters, this.#stop.signal).finally(() => {
      this.#stop = undefined;
    });
  }

  stop(): void {
    this.#stop?.abort();
  }

  async #run(parameters: Parameters, stop: AbortSignal): Promise<void> {
    this.#log('process_input thread started.');
    try {
      await this.#steps(parameters, stop);
    } catch (error) {
      this.#log(`Error during task processing: ${messageOf(error)}`, 'ERROR');
    }
    this.#log('process_input thread finished.');
  }

  async #steps({ task, selected_screen, trace_id, max_steps }: Parameters, stop: AbortSignal): Promise<void> {
    if (typeof max_steps !== 'number') throw new Error("'<' not supported between instances of 'int' and 'str'");
    if (selected_screen !== 0) throw new Error('list index out of range');
    const taskId = `${stamp(new Date())}_tid_${trace_id}_${randomBytes(3).toString('hex')}`;
    this.#log(`[simple_sampling_loop] starting task: ${task} unique_task_id: ${taskId}`);
    // The original's own off-by-one: max_steps = N takes N - 1 steps.
    for (let step = 1; step < max_steps; step += 1) {
      this.#log(`step_count: ${step}`);
      // It looks at /stop between steps only.
      await sleep(this.stepMs);
      this.#keepScreenshot(['.cache', `${Date.now()}`], 'screenshot-0.png');
      this.#message('image_base64', 'iVBORw0KGgo');
      if (stop.aborted) return;
      if (this.#state.faults.has('aloha-server-dead')) {
        this.#log('No response from Run server. Exiting.', 'ERROR');
        return this.#message('error', 'No response from  Run server. Exiting.');
      }
      const dir = ['logs', `${taskId}_${Date.now()}`];
      this.#keepScreenshot(dir, 'screenshot.png');
      this.#keep(dir, 'planning.json', JSON.stringify({ observation: `step ${step}`, reasoning: task }));
      this.#message('text', `step ${step}`);
      if (stop.aborted) return;
      if (step === stopStep) return this.#message('text', 'Task completed. Final screenshot:');
    }
  }

  #message(type: string, content: string): void {
    this.#log(`[loop_msg] type=${type} content=${content.slice(0, 100)}`);
  }

  #log(text: string, level = 'INFO'): void {
    const time = new Date().toISOString().replace('T', ' ').replace('.', ',').replace('Z', '');
    const file = join(localPath(this.#state, labAlohaDir), 'client.log');
    appendFileSync(file, `${time} - ${level} - ${text}\n`);
  }

  #keepScreenshot(dir: readonly string[], name: string): void {
    this.#keep(dir, name, desktopPng().bytes);
  }

  #keep(dir: readonly string[], name: string, content: string | Uint8Array): void {
    const folder = join(localPath(this.#state, labAlohaDir), ...dir);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

/** `1124-203617`, as the original names its runs. */
const stamp = (date: Date) => date.toISOString().replace(/^\d{4}-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d).*$/, '$1$2-$3$4$5');
