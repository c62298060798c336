import type { Duplex, Readable } from 'node:stream';
import { abortable, Deadline } from '../../core/deadline.ts';
import { type Milliseconds, milliseconds } from '../../core/duration.ts';
import { AutomationError, messageOf } from '../../core/errors.ts';
import { LineSplitter } from '../../core/lines.ts';
import { warmCommandLine, warmFirstLine } from './command-line.ts';
import { type PersistentAnswer, type PersistentRequest, parseAnswer, requestLine } from './persistent-protocol.ts';

const startTimeoutMs = milliseconds(30_000);
/** A cancel is answered within a second; the rest is for the way. */
const cancelTimeoutMs = milliseconds(3_000);
/** Its memory is flat over 5,000 requests. Replaced then all the same: whatever scripts have left in it goes. */
const maxRequests = 5_000;
/** Its answers come in pieces of 24,576 characters. */
const maxLineBytes = 262_144;
const maxOutputBytes = 268_435_456;
const maxWords = 4_096;

/** What starts a command line somewhere and connects its three streams. `SshConnection` does. */
export interface CommandOpener {
  openCommand(commandLine: string): Promise<{ readonly channel: CommandChannel }>;
}

/** Standard input and output of a command, and its standard error. It closes when the command has ended. */
export type CommandChannel = Duplex & { readonly stderr: Readable };

interface Pending {
  readonly pieces: Buffer[];
  bytes: number;
  readonly resolve: (output: string) => void;
  readonly reject: (error: unknown) => void;
  /** Resolves once a cancelled script is over, with what is left of it, if anything. */
  readonly onCancelled: (left: string | undefined) => void;
}

export interface PersistentOptions {
  /** How long it may take to start; 30 s unless told. */
  readonly startTimeoutMs?: Milliseconds;
  /** How long a cancelled script waits to hear that it is over; 3 s unless told. */
  readonly cancelTimeoutMs?: Milliseconds;
}

/**
 * One PowerShell that stays (host.ps1) and runs script after script, several at once: starting powershell.exe costs a
 * Windows VM 0.3 to 2 s each time. On any doubt it takes no more scripts: `isUsable` turns false, and it ends once those that
 * run are done.
 */
export class PersistentPowershell {
  /** Settles when it takes scripts. @throws AutomationError `timeout`, `ssh_*`, `remote_unexpected` */
  readonly ready: Promise<void>;
  readonly #pending = new Map<number, Pending>();
  readonly #cancelTimeoutMs: Milliseconds;
  #channel: CommandChannel | undefined;
  #lastId = 0;
  #isOpen = true;
  #isDoubtful = false;
  #words = '';

  private constructor(opener: CommandOpener, options: PersistentOptions) {
    this.#cancelTimeoutMs = options.cancelTimeoutMs ?? cancelTimeoutMs;
    this.ready = this.#start(opener, options.startTimeoutMs ?? startTimeoutMs);
    // Whoever waits for it is told; nobody may be waiting.
    this.ready.catch(() => this.close());
  }

  /** Starts one. @param opener where it runs */
  static start(opener: CommandOpener, options: PersistentOptions = {}): PersistentPowershell {
    return new PersistentPowershell(opener, options);
  }

  async #start(opener: CommandOpener, timeoutMs: Milliseconds): Promise<void> {
    using deadline = new Deadline(timeoutMs, 'starting PowerShell');
    const opening = opener.openCommand(warmCommandLine);
    // One that opens after it was given up would stay for ever.
    opening.then(
      ({ channel }) => this.#isOpen || channel.destroy(),
      () => undefined,
    );
    const { channel } = await abortable(opening, deadline.signal);
    if (!this.#isOpen) throw new AutomationError('remote_unexpected', 'PowerShell did not start: it was closed');
    this.#channel = channel;
    const ready = new Promise<void>((resolve, reject) => this.#listen(channel, resolve, reject));
    channel.write(`${warmFirstLine}\n`);
    await abortable(ready, deadline.signal);
  }

  /** Whether it takes scripts: false once it has ended, has had its share, or gave reason for doubt. */
  get isUsable(): boolean {
    return this.#isOpen && !this.#isDoubtful && this.#lastId < maxRequests;
  }

  /**
   * Runs a script and returns what it printed. Waits for `ready`; a script that is cancelled before is never run.
   *
   * @param argument base64, as the script takes it
   * @param signal cancels this script alone, with the programs that it started; it rejects once that is done
   * @throws AutomationError `script_failed` with the script's own words, `remote_unexpected`, what `ready` throws, or the
   *   signal's reason, which says so where something may be left running
   */
  async run(script: string, argument: string, signal: AbortSignal): Promise<string> {
    await abortable(this.ready, signal);
    signal.throwIfAborted();
    if (!this.#isOpen) throw this.#ended('before a script was started');
    this.#lastId += 1;
    const id = this.#lastId;
    let onCancelled: Pending['onCancelled'] = () => undefined;
    const cancelled = new Promise<string | undefined>((resolve) => {
      onCancelled = resolve;
    });
    const done = new Promise<string>((resolve, reject) => {
      this.#pending.set(id, { pieces: [], bytes: 0, resolve, reject, onCancelled });
    });
    this.#send({ id, op: 'run', script, argument });
    try {
      return await abortable(done, signal);
    } catch (error) {
      if (signal.aborted && this.#pending.has(id)) throw await this.#cancel(id, cancelled, signal.reason);
      throw error;
    } finally {
      this.#pending.delete(id);
      // The last of one that is to be replaced ends it.
      if (!this.isUsable && this.#pending.size === 0) this.close();
    }
  }

  /** Ends a script. @returns the error to throw */
  async #cancel(id: number, cancelled: Promise<string | undefined>, reason: unknown): Promise<unknown> {
    this.#send({ id, op: 'cancel' });
    using deadline = new Deadline(this.#cancelTimeoutMs, 'ending a script');
    const left = await abortable(cancelled, deadline.signal).catch(() => 'it did not say that the script had ended');
    if (left === undefined) return reason;
    this.#isDoubtful = true;
    return mayGoOn(reason, left);
  }

  /** Ends it. Scripts that still run fail, and it ends what they had started. */
  close(): void {
    if (!this.#isOpen) return;
    this.#send({ op: 'exit' });
    this.#channel?.end();
    this.#end('it was closed');
  }

  #send(request: PersistentRequest): void {
    if (this.#isOpen) this.#channel?.write(`${requestLine(request)}\n`);
  }

  #listen(channel: CommandChannel, onReady: () => void, onFailure: (error: unknown) => void): void {
    const fail = (reason: string) => {
      const words = this.#words.trim();
      const said = words === '' ? '' : `: ${words}`;
      onFailure(new AutomationError('remote_unexpected', `PowerShell did not start: ${reason}${said}`));
      this.#end(reason);
      channel.end();
    };
    channel.stderr.on('data', (chunk: Buffer) => {
      this.#words = `${this.#words}${chunk.toString('utf8')}`.slice(-maxWords);
    });
    channel.on('error', () => undefined);
    channel.on('close', () => fail('its channel was closed'));
    const splitter = new LineSplitter();
    let restBytes = 0;
    channel.on('data', (chunk: Buffer) => {
      const lastEnd = chunk.lastIndexOf(0x0a);
      restBytes = lastEnd === -1 ? restBytes + chunk.length : chunk.length - lastEnd - 1;
      if (!this.#isOpen) return;
      if (restBytes > maxLineBytes) return fail('a line of it has no end');
      for (const line of splitter.push(chunk)) {
        const answer = parseAnswer(line);
        if (answer === undefined) return fail(`it said ${JSON.stringify(line.slice(0, 100))}`);
        if (answer.kind === 'broken') return fail(answer.text);
        if (answer.kind === 'ready') onReady();
        else this.#take(answer);
      }
    });
  }

  #take(answer: Extract<PersistentAnswer, { kind: 'out' | 'done' }>): void {
    const pending = this.#pending.get(answer.id);
    // Of a script that was given up something may still come.
    if (pending === undefined) return;
    if (answer.kind === 'out') {
      pending.bytes += answer.bytes.length;
      if (pending.bytes <= maxOutputBytes) pending.pieces.push(answer.bytes);
      return;
    }
    pending.onCancelled(answer.state === 'left' ? answer.text : undefined);
    if (answer.state === 'failed') {
      pending.reject(new AutomationError('script_failed', `the script failed: ${answer.text}`));
    } else if (pending.bytes > maxOutputBytes) {
      pending.reject(new AutomationError('remote_unexpected', `a script printed over ${maxOutputBytes} bytes`));
    } else if (answer.state === 'ok') {
      pending.resolve(Buffer.concat(pending.pieces).toString('utf8'));
    } else {
      pending.reject(new AutomationError('script_failed', 'the script was cancelled'));
    }
  }

  #ended(when: string): AutomationError {
    return new AutomationError('ssh_connection_lost', `the PowerShell that stays ended ${when}`);
  }

  #end(reason: string): void {
    this.#isOpen = false;
    for (const { reject, onCancelled } of this.#pending.values()) {
      reject(new AutomationError('ssh_connection_lost', `the PowerShell that stays ended: ${reason}`));
      onCancelled('it ended meanwhile');
    }
    this.#pending.clear();
  }
}

/** The reason of a cancel, and that it may not have come to everything. */
function mayGoOn(reason: unknown, left: string): AutomationError {
  const message = `${messageOf(reason)}; something of the script may be left running: ${left}`;
  if (!(reason instanceof AutomationError)) return new AutomationError('cancelled', message, { cause: reason });
  const { code, fields, hint, isTransient } = reason;
  return new AutomationError(code, message, {
    fields,
    isTransient,
    cause: reason,
    ...(hint === undefined ? {} : { hint }),
  });
}
