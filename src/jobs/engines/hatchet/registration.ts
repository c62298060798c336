import { randomUUID } from 'node:crypto';
import type { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/client/client.js';
import type { LoadedConfig } from '../../../config/load.ts';
import { abortable, sleep } from '../../../core/deadline.ts';
import { AutomationError, messageOf } from '../../../core/errors.ts';
import type { Logger } from '../../../core/logger.ts';
import { addressOf, ask } from '../../../hatchet/client.ts';
import { hatchetFailure } from '../../../hatchet/failure.ts';
import { hostLabel } from './envelope.ts';
import type { hatchetWorkflows } from './workflows.ts';

const lookEveryMs = 2_000;
/** So often in a row Hatchet must say that this worker is gone, until it is believed. */
const goneAfter = 3;
/** A worker that never came up is begun anew after this time. */
const comesUpWithinMs = 30_000;

export interface RegistrationOptions {
  readonly loaded: LoadedConfig;
  readonly workflows: ReturnType<typeof hatchetWorkflows>;
  readonly slots: number;
  readonly logger: Logger;
  /** Told whether Hatchet knows of this worker as alive, each time that it is asked. */
  readonly onState: (isAlive: boolean) => void;
  readonly signal: AbortSignal;
}

/**
 * Is a worker of Hatchet's until the registration is lost, or the signal is aborted.
 *
 * The SDK looks after its stream and its heartbeats by itself, but does not notice when the server has given it up
 * (hatchet-dev/hatchet#4824: the worker looks healthy and gets nothing for ever). So the server is asked what it thinks.
 *
 * @returns why the registration was lost; what runs goes on
 * @throws AutomationError `hatchet_unreachable`, `hatchet_refused`, `hatchet_failed`
 */
export async function beRegistered(client: HatchetClient, options: RegistrationOptions): Promise<string> {
  const { loaded, workflows, slots, signal, logger } = options;
  const { config } = loaded;
  const instance = randomUUID();
  const labels: Record<string, string> = { instance };
  for (const host of ['default', ...Object.keys(config.hosts)]) labels[hostLabel(host)] = 'yes';
  const own = new AbortController();
  const ended = AbortSignal.any([signal, own.signal]);
  let worker: Awaited<ReturnType<HatchetClient['worker']>> | undefined;
  try {
    const made = client.worker(config.hatchet.worker_name, { workflows, slots, labels, handleKill: false });
    // The SDK tries for 13 seconds, deaf to signals.
    worker = await abortable(made, signal);
    const running = worker.start().then(
      () => 'the SDK ended its worker',
      (error: unknown) => {
        throw hatchetFailure(error, addressOf(loaded));
      },
    );
    return await Promise.race([running, watch(client, instance, { ...options, signal: ended })]);
  } catch (error) {
    signal.throwIfAborted();
    throw hatchetFailure(error, addressOf(loaded));
  } finally {
    own.abort();
    options.onState(false);
    // It waits for what runs as well, which is not its business: jobs outlive a registration.
    worker?.stop().catch((error: unknown) => logger.debug('unregister', messageOf(error)));
  }
}

/** Asks the server again and again whether it knows of this worker. */
async function watch(client: HatchetClient, instance: string, options: RegistrationOptions): Promise<string> {
  const { loaded, signal, onState, logger } = options;
  const startedMs = Date.now();
  let wasAlive = false;
  let gone = 0;
  for (;;) {
    await sleep(wasAlive ? lookEveryMs : 100, signal);
    let isAlive = false;
    try {
      const { rows = [] } = await ask(loaded, 'workers', signal, () => client.workers.list());
      const own = rows.find(({ labels = [] }) =>
        labels.some(({ key, value }) => key === 'instance' && value === instance),
      );
      isAlive = own?.status === 'ACTIVE';
      gone = isAlive || !wasAlive ? 0 : gone + 1;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof AutomationError && error.code === 'hatchet_refused') throw error;
      // Whether it is gone nobody can tell now.
      logger.debug('watch', messageOf(error));
    }
    wasAlive ||= isAlive;
    onState(isAlive);
    if (gone >= goneAfter) return 'Hatchet has given this worker up';
    if (!wasAlive && Date.now() - startedMs > comesUpWithinMs) return 'Hatchet does not know of this worker';
  }
}

/** Tells each time that the stream broke by which a client's worker is given its jobs: its server may have been killed. */
export function onStreamBreak({ dispatcher }: HatchetClient, tell: () => void): void {
  const getActionListener = dispatcher.getActionListener.bind(dispatcher);
  dispatcher.getActionListener = async (options) => {
    const listener = await getActionListener(options);
    const connect = listener.getListenClient.bind(listener);
    let wasConnected = false;
    listener.getListenClient = () => {
      if (wasConnected) tell();
      wasConnected = true;
      return connect();
    };
    return listener;
  };
}
