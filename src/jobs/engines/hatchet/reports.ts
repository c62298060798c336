import { StepActionEventType } from '@hatchet-dev/typescript-sdk/protoc/dispatcher/dispatcher.js';
import type { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/client/client.js';
import { sleep } from '../../../core/deadline.ts';
import { messageOf } from '../../../core/errors.ts';
import type { Logger } from '../../../core/logger.ts';

/** Between two rounds of the SDK's own eight tries, which take some 13 seconds. */
const againMs = 1_000;

/** What the SDK says where Hatchet could not be asked at all, as against: Hatchet said no. */
const isAway = (error: unknown): boolean =>
  /UNAVAILABLE|DEADLINE_EXCEEDED|CANCELLED|ABORTED|INTERNAL|UNKNOWN|ECONN|socket|timed out/i.test(messageOf(error));

/** How a worker's reports get through. */
export interface Reports {
  /** When a report had to wait the last time; undefined if none ever had. */
  readonly lastWait: Date | undefined;
  /** Waits until nothing is left to say. */
  heard(): Promise<void>;
}

/**
 * Lets a client report how tasks ended for as long as it takes: the SDK gives up after 13 seconds, and then the work of a
 * job that ended while Hatchet was away would be done once more.
 *
 * @param signal gives up what could not be said
 */
export function reportUntilHeard(client: HatchetClient, logger: Logger, signal: AbortSignal): Reports {
  const { dispatcher } = client;
  const send = dispatcher.sendStepActionEvent.bind(dispatcher);
  const pending = new Set<Promise<unknown>>();
  let lastWait: Date | undefined;
  const insist = async (event: Parameters<typeof send>[0]) => {
    for (;;) {
      try {
        return await send(event);
      } catch (error) {
        if (signal.aborted || !isAway(error)) throw error;
        lastWait = new Date();
        logger.warn('report', 'Hatchet does not hear how a job ended; it is told again', {
          job_id: event.taskRunExternalId,
          err: messageOf(error),
        });
        await sleep(againMs, signal);
      }
    }
  };
  dispatcher.sendStepActionEvent = (event) => {
    // That a try began is of no use to anybody once it is late.
    if (event.eventType === StepActionEventType.STEP_EVENT_TYPE_STARTED) return send(event);
    const report = insist(event);
    const settled = report.catch(() => undefined).finally(() => pending.delete(settled));
    pending.add(settled);
    return report;
  };
  return {
    get lastWait() {
      return lastWait;
    },
    heard: async () => {
      // The SDK begins to report in the turn after a task has ended.
      for (await sleep(10); pending.size > 0; await sleep(10)) await Promise.all(pending);
    },
  };
}
