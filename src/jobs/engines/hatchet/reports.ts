import { StepActionEventType } from '@hatchet-dev/typescript-sdk/protoc/dispatcher/dispatcher.js';
import type { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/client/client.js';
import { sleep } from '../../../core/deadline.ts';
import { messageOf } from '../../../core/errors.ts';
import type { Logger } from '../../../core/logger.ts';
import { doubtMs } from './ended-tries.ts';

/** Between two rounds of the SDK's own eight tries, which take some 13 seconds. */
const againMs = 1_000;
/** A report that took longer had to be repeated, or its server was very slow. */
const promptMs = 1_000;
/** A try that is over sooner is told by its end alone. */
const beginningMs = 100;

/** What the SDK says where Hatchet could not be asked at all, as against: Hatchet said no. */
const isAway = (error: unknown): boolean =>
  /UNAVAILABLE|DEADLINE_EXCEEDED|CANCELLED|ABORTED|INTERNAL|UNKNOWN|ECONN|socket|timed out/i.test(messageOf(error));

const keyOf = ({
  taskRunExternalId,
  retryCount,
}: {
  taskRunExternalId?: string | undefined;
  retryCount?: number | undefined;
}) => `${taskRunExternalId} ${retryCount}`;

/** Whether it tells of an end after which there is no other try. */
const isLast = ({
  eventType,
  shouldNotRetry,
}: {
  readonly eventType: StepActionEventType;
  readonly shouldNotRetry?: boolean | undefined;
}): boolean =>
  eventType === StepActionEventType.STEP_EVENT_TYPE_COMPLETED ||
  (eventType === StepActionEventType.STEP_EVENT_TYPE_FAILED && shouldNotRetry === true);

/** What is kept to be told once more is at most this much text. */
const maxRecentChars = 16 * 1024 * 1024;

/** How a worker's reports get through. */
export interface Reports {
  /**
   * Tells once more of the jobs that were heard to be over after a time: a server that is killed forgets what it had just
   * been told, and what it did not forget it takes once.
   */
  repeat(sinceMs: number): void;
  /** Waits until nothing is left to say. */
  heard(): Promise<void>;
}

/**
 * Lets a client report how tasks ended for as long as it takes: the SDK gives up after 13 seconds, and then the work of a
 * job that ended while Hatchet was away would be done once more.
 *
 * @param onHeard told of each report that got through, and whether it had to wait
 * @param signal gives up what could not be said
 */
export function reportUntilHeard(
  client: HatchetClient,
  logger: Logger,
  onHeard: (taskId: string, hadToWait: boolean) => void,
  signal: AbortSignal,
): Reports {
  const { dispatcher } = client;
  const send = dispatcher.sendStepActionEvent.bind(dispatcher);
  const pending = new Set<Promise<unknown>>();
  const recent = new RecentEvents<Parameters<typeof send>[0]>();
  const insist = async (event: Parameters<typeof send>[0]) => {
    const startedMs = Date.now();
    for (;;) {
      try {
        const response = await send(event);
        // The SDK's own tries are waits as well.
        if (event.taskRunExternalId !== undefined) onHeard(event.taskRunExternalId, Date.now() - startedMs > promptMs);
        if (isLast(event)) recent.add(event);
        return response;
      } catch (error) {
        if (signal.aborted || !isAway(error)) throw error;
        logger.warn('report', 'Hatchet does not hear how a job ended; it is told again', {
          job_id: event.taskRunExternalId,
          err: messageOf(error),
        });
        await sleep(againMs, signal);
      }
    }
  };
  /** Has `heard` wait for it. */
  const wait = <T>(report: Promise<T>): Promise<T> => {
    const settled = report.catch(() => undefined).finally(() => pending.delete(settled));
    pending.add(settled);
    return report;
  };
  const beginnings = new Map<string, NodeJS.Timeout>();
  /** That a try began is told only if it lasts: of one that is over at once, the end says all there is to say. */
  const begin = (event: Parameters<typeof send>[0]) => {
    const key = keyOf(event);
    const timer = setTimeout(() => {
      beginnings.delete(key);
      // Late, it is of no use to anybody: it is told once, and not insisted on.
      send(event).catch((error: unknown) => logger.debug('report', messageOf(error)));
    }, beginningMs);
    beginnings.set(key, timer);
  };
  dispatcher.sendStepActionEvent = async (event) => {
    if (event.eventType === StepActionEventType.STEP_EVENT_TYPE_STARTED) {
      begin(event);
      return { tenantId: '', workerId: '' };
    }
    clearTimeout(beginnings.get(keyOf(event)));
    beginnings.delete(keyOf(event));
    return wait(insist(event));
  };
  return {
    repeat: (sinceMs) => {
      for (const event of recent.takeSince(sinceMs))
        wait(insist(event)).catch((error: unknown) => logger.debug('report', messageOf(error)));
    },
    heard: async () => {
      // The SDK begins to report in the turn after a task has ended.
      for (await sleep(10); pending.size > 0; await sleep(10)) await Promise.all(pending);
    },
  };
}

/** The events that were heard within the time of doubt, the oldest first. */
class RecentEvents<E extends { readonly eventPayload: string }> {
  #heard: { readonly event: E; readonly heardMs: number }[] = [];
  #chars = 0;

  add(event: E): void {
    this.#heard.push({ event, heardMs: Date.now() });
    this.#chars += event.eventPayload.length;
    const isKept = ({ heardMs }: { readonly heardMs: number }) =>
      heardMs >= Date.now() - doubtMs && this.#chars <= maxRecentChars;
    while (this.#heard[0] !== undefined && !isKept(this.#heard[0]))
      this.#chars -= this.#heard.shift()?.event.eventPayload.length ?? 0;
  }

  takeSince(sinceMs: number): E[] {
    const taken = this.#heard.filter(({ heardMs }) => heardMs >= sinceMs).map(({ event }) => event);
    this.#heard = [];
    this.#chars = 0;
    return taken;
  }
}
