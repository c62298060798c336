import type { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/client/client.js';
import type { Context } from '@hatchet-dev/typescript-sdk/v1/client/worker/context.js';
import type { TaskWorkflowDeclaration } from '@hatchet-dev/typescript-sdk/v1/declaration.js';
import { ConcurrencyLimitStrategy } from '@hatchet-dev/typescript-sdk/v1/task.js';
import type { JsonObject } from '@hatchet-dev/typescript-sdk/v1/types.js';
import type { Config } from '../../../config/sections.ts';
import type { JobType } from '../../job-type.ts';

/** What a worker does with a run. */
export type RunTask = (typeName: string, input: unknown, context: Context<JsonObject>) => Promise<JsonObject>;

/** As often as any job may be tried again; each job's own limit, which is lower, is kept by the worker. */
const mostRetries = 10;
/** A worker that hangs is found out by this; each job's own timeout, an hour at most, is kept by the worker. */
const executionTimeout = '65m';
/** A job waits for a worker, not for a time after which it is forgotten. */
const scheduleTimeout = '8760h';
const dayMs = 86_400_000;

/** A run of a cron schedule has the same input each time; the minute that it is for makes its key its own. */
const idempotencyExpression =
  '"hatchet__cron_scheduled_at" in additional_metadata ? ' +
  'input.idempotency_key + "@" + additional_metadata.hatchet__cron_scheduled_at : input.idempotency_key';

/**
 * The waits between tries as Hatchet has them, which multiplies where the local engine doubles: the first is the same, the
 * following ones are four times as long.
 */
function hatchetBackoff(firstMs: number): { readonly factor: number; readonly maxSeconds: number } {
  const seconds = Math.max(1, Math.round(firstMs / 1_000));
  return { factor: Math.max(1.5, seconds), maxSeconds: seconds * 4 };
}

/** Every job type as a workflow of one task. */
export function hatchetWorkflows(
  client: HatchetClient,
  types: readonly JobType[],
  { hatchet, artifacts }: Config,
  run: RunTask,
): TaskWorkflowDeclaration<JsonObject, JsonObject>[] {
  return types.map(({ name, description, isGui }) =>
    client.task<JsonObject, JsonObject>({
      name,
      description,
      retries: mostRetries,
      backoff: hatchetBackoff(hatchet.retry_backoff),
      executionTimeout,
      scheduleTimeout,
      idempotency: {
        expression: idempotencyExpression,
        strategy: 'ttl',
        ttlMs: artifacts.retention_days * dayMs,
      },
      // A host has one desktop.
      ...(isGui ? { concurrency: oneAtATime } : {}),
      fn: (input, context) => run(name, input, context),
    }),
  );
}

const oneAtATime = {
  expression: 'input.host',
  maxRuns: 1,
  limitStrategy: ConcurrencyLimitStrategy.GROUP_ROUND_ROBIN,
};
