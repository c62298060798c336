/** How far a run has come, and how it ended once it has. */
export interface RunProgress {
  /** The client's own name for the run, once it has told it. */
  readonly taskId: string | undefined;
  /** Steps begun. */
  readonly step: number;
  readonly end: RunEnd | undefined;
}

export interface RunEnd {
  /** `unfinished`: it ended without a word of success or failure, by its step limit or by a stop. */
  readonly kind: 'completed' | 'failed' | 'unfinished';
  readonly message: string;
}

/**
 * Reads the Aloha client's log, which alone tells what becomes of a run (ShowUI-Aloha, app_client.py and sampling_loop.py).
 * Feed it what the log says from the moment before the run was started.
 */
export class RunLog {
  #rest = '';
  #taskId: string | undefined;
  #step = 0;
  #verdict: RunEnd | undefined;
  #isOver = false;
  #hasBegun = false;

  /** Whether the client has said anything since. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  get progress(): RunProgress {
    const end = this.#isOver ? (this.#verdict ?? { kind: 'unfinished' as const, message: '' }) : undefined;
    return { taskId: this.#taskId, step: this.#step, end };
  }

  /** Takes the next piece of the log, cut anywhere. */
  feed(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#read(line.trimEnd());
  }

  #read(whole: string): void {
    // Only what the client itself logs counts: a task or a model's answer may have lines of its own.
    const line = /^\d{4}-\d\d-\d\d [\d:,]+ - [A-Z]+ - (.*)$/.exec(whole)?.[1];
    if (line === undefined || this.#isOver) return;
    this.#hasBegun = true;
    const taskId = /\bunique_task_id: (\S+)$/.exec(line)?.[1];
    const step = /^step_count: (\d+)$/.exec(line)?.[1];
    const failure =
      /^\[loop_msg\] type=error content=(.*)$/.exec(line)?.[1] ??
      /^Error during task processing: (.*)$/.exec(line)?.[1];
    if (taskId !== undefined) this.#taskId = taskId;
    else if (step !== undefined) this.#step = Number(step);
    else if (failure !== undefined) this.#verdict ??= { kind: 'failed', message: failure.replace(/\s+/g, ' ').trim() };
    else if (line.startsWith('[loop_msg] type=text content=Task completed. Final screenshot:')) {
      this.#verdict ??= { kind: 'completed', message: 'the agent says that the task is completed' };
    } else if (line === 'process_input thread finished.') this.#isOver = true;
  }
}
