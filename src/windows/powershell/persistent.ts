import type { ClientChannel } from 'ssh2';
import * as v from 'valibot';
import { abortable, Deadline } from '../../core/deadline.ts';
import { milliseconds } from '../../core/duration.ts';
import { AutomationError } from '../../core/errors.ts';
import { LineSplitter } from '../../core/lines.ts';
import type { SshConnection } from '../connection.ts';
import { warmCommandLine } from './command-line.ts';

/** After so many scripts it is replaced: whatever has piled up in it goes. */
const maxRequests = 500;
const startTimeoutMs = milliseconds(30_000);

const readySchema = v.object({ ready: v.literal(true), pid: v.number() });
const outputSchema = v.object({ id: v.number(), output: v.string() });
const doneSchema = v.object({
  id: v.number(),
  done: v.literal(true),
  ok: v.boolean(),
  error: v.string(),
  output: v.optional(v.string()),
});
const lineSchema = v.lazy((line) => {
  const is = (key: string) => typeof line === 'object' && line !== null && key in line;
  return is('done') ? doneSchema : is('output') ? outputSchema : readySchema;
});

type Answer = v.InferOutput<typeof lineSchema>;

interface Pending {
  readonly lines: string[];
  readonly resolve: (output: string) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One PowerShell that stays (host.ps1) and runs script after script, several at once: starting powershell.exe costs a
 * Windows VM 0.3 to 2 s each time. JSON lines both ways. On any doubt it gives itself up: `isUsable` turns false.
 */
export class WarmPowershell {
  /** Settles when it takes scripts. @throws AutomationError `timeout`, `ssh_*`, `remote_unexpected` */
  readonly ready: Promise<void>;
  readonly #pending = new Map<number, Pending>();
  #channel: ClientChannel | undefined;
  #lastId = 0;
  #isOpen = true;

  private constructor(connection: SshConnection) {
    this.ready = this.#start(connection);
    // Whoever waits for it is told; nobody may be waiting.
    this.ready.catch(() => this.close());
  }

  /** Starts one; scripts may be given to it once it is ready. */
  static start(connection: SshConnection): WarmPowershell {
    return new WarmPowershell(connection);
  }

  async #start(connection: SshConnection): Promise<void> {
    using deadline = new Deadline(startTimeoutMs, 'starting PowerShell');
    const { channel } = await abortable(connection.openCommand(warmCommandLine), deadline.signal);
    this.#channel = channel;
    await abortable(new Promise<void>((resolve, reject) => this.#listen(channel, resolve, reject)), deadline.signal);
  }

  /** False once it has ended, been recycled, or said something that makes no sense. */
  get isUsable(): boolean {
    return this.#isOpen && this.#lastId < maxRequests;
  }

  /**
   * Runs a script and returns what it printed.
   *
   * @param argument base64, as the script takes it
   * @param signal cancels this script alone
   * @throws AutomationError `script_failed` with the script's own words
   */
  async run(script: string, argument: string, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    this.#lastId += 1;
    const id = this.#lastId;
    const done = new Promise<string>((resolve, reject) => this.#pending.set(id, { lines: [], resolve, reject }));
    this.#send({ id, op: 'run', script: base64Of(script), argument });
    try {
      return await abortable(done, signal);
    } catch (error) {
      if (signal.aborted) this.#send({ id, op: 'cancel' });
      throw error;
    } finally {
      this.#pending.delete(id);
      // The last of a recycled one turns off the light.
      if (!this.isUsable && this.#pending.size === 0) this.close();
    }
  }

  /** Ends it. Scripts that still run fail. */
  close(): void {
    if (!this.#isOpen) return;
    this.#send({ op: 'exit' });
    this.#channel?.end();
    this.#end('it was closed');
  }

  #send(request: Readonly<Record<string, unknown>>): void {
    if (this.#isOpen) this.#channel?.write(`${JSON.stringify(request)}\n`);
  }

  #listen(channel: ClientChannel, onReady: () => void, onFailure: (error: unknown) => void): void {
    const fail = (reason: string) => {
      onFailure(new AutomationError('remote_unexpected', `PowerShell did not start: ${reason}`));
      this.#end(reason);
    };
    channel.stderr.resume();
    channel.on('error', () => undefined);
    channel.on('close', () => fail('its channel was closed'));
    const splitter = new LineSplitter();
    channel.on('data', (chunk: Buffer) => {
      for (const line of splitter.push(chunk)) {
        const answer = parseLine(line);
        if (answer === undefined) fail(`it said ${JSON.stringify(line.slice(0, 100))}`);
        else if ('ready' in answer) onReady();
        else this.#take(answer);
      }
    });
  }

  #take(answer: Exclude<Answer, { ready: true }>): void {
    const pending = this.#pending.get(answer.id);
    // Of a cancelled script something may still come.
    if (pending === undefined) return;
    if (answer.output !== undefined) pending.lines.push(answer.output);
    if (!('done' in answer)) return;
    if (answer.ok) pending.resolve(pending.lines.join('\n'));
    else pending.reject(new AutomationError('script_failed', `the script failed: ${answer.error}`));
  }

  #end(reason: string): void {
    this.#isOpen = false;
    for (const { reject } of this.#pending.values()) {
      reject(new AutomationError('ssh_connection_lost', `the PowerShell that stays ended: ${reason}`));
    }
    this.#pending.clear();
  }
}

const encoded = new Map<string, string>();

/** Of the same few scripts again and again. */
function base64Of(script: string): string {
  const known = encoded.get(script);
  if (known !== undefined) return known;
  const fresh = Buffer.from(script, 'utf8').toString('base64');
  encoded.set(script, fresh);
  return fresh;
}

function parseLine(line: string): Answer | undefined {
  try {
    const parsed = v.safeParse(lineSchema, JSON.parse(line));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
