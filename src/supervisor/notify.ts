import { spawn } from 'node:child_process';
import type { Command } from '../config/values.ts';
import { Deadline } from '../core/deadline.ts';
import { milliseconds } from '../core/duration.ts';
import { AutomationError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { retry } from '../core/retry.ts';
import { post } from '../http/request.ts';

const timeoutMs = milliseconds(30_000);
const requestTimeoutMs = milliseconds(10_000);

/** What a change of state is told with. */
export interface StateChange {
  readonly host: string;
  readonly from: string;
  readonly to: string;
  readonly at: string;
  readonly components: readonly {
    readonly component: string;
    readonly state: string;
    readonly reason: string;
    readonly detail: string;
  }[];
}

export interface NotifyOptions {
  /** The change goes to its standard input as JSON. */
  readonly command: Command | undefined;
  /** All of the command's environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Posted to, the change as JSON. */
  readonly webhookUrl: string | undefined;
  readonly attempts: number;
  readonly logger: Logger;
}

/** Tells a change of state. It never throws: what could not be told is logged, and the supervisor's work goes on. */
export async function notify(change: StateChange, options: NotifyOptions): Promise<void> {
  const { command, env, webhookUrl, attempts, logger } = options;
  using deadline = new Deadline(timeoutMs, 'the notification');
  const tell = async (how: string, work: (signal: AbortSignal) => Promise<void>) => {
    try {
      await retry(() => work(deadline.signal), { attempts, signal: deadline.signal });
      logger.info('notify', 'the change of state was told', { how, to: change.to });
    } catch (error) {
      logger.error('notify', messageOf(error), { how, to: change.to });
    }
  };
  await Promise.all([
    command === undefined ? undefined : tell('command', (signal) => runCommand(command, env, change, signal)),
    webhookUrl === undefined ? undefined : tell('webhook', (signal) => callWebhook(webhookUrl, change, signal)),
  ]);
}

function runCommand(
  command: Command,
  env: NotifyOptions['env'],
  change: StateChange,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const [program, ...args] = typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'], env: { ...env }, signal });
    child.once('error', reject);
    // A command that does not read its input is no fault.
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${JSON.stringify(change)}\n`);
    child.once('exit', (code, by) => {
      if (code === 0) resolve();
      else
        reject(
          new AutomationError('io_failed', `supervisor.on_change_cmd ended with ${code ?? by}`, { isTransient: true }),
        );
    });
  });
}

async function callWebhook(url: string, change: StateChange, signal: AbortSignal): Promise<void> {
  const { status } = await post({ url, timeoutMs: requestTimeoutMs, attempts: 1, signal }, change);
  if (status >= 200 && status < 300) return;
  throw new AutomationError('http_unexpected', `supervisor.webhook_url answers ${status}`, {
    isTransient: status >= 500,
  });
}
