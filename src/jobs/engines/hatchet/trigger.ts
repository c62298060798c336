import { IdempotencyCollisionError } from '@hatchet-dev/typescript-sdk/util/errors/idempotency-collision-error.js';
import type { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/client/client.js';
import type { JsonObject } from '@hatchet-dev/typescript-sdk/v1/types.js';
import type { LoadedConfig } from '../../../config/load.ts';
import { AutomationError } from '../../../core/errors.ts';
import { retry } from '../../../core/retry.ts';
import { addressOf, ask } from '../../../hatchet/client.ts';
import { featuresOf } from '../../../hatchet/compatibility.ts';
import { hatchetFailure } from '../../../hatchet/failure.ts';
import { serverVersion } from '../../../hatchet/server.ts';
import type { EnqueueRequest } from '../../engine.ts';
import { hatchetPriority, hostLabel, makeEnvelope, metadataOf } from './envelope.ts';

interface TriggerContext {
  readonly client: HatchetClient;
  readonly loaded: LoadedConfig;
  readonly namespace: string;
  readonly signal: AbortSignal;
}

interface Triggered {
  readonly jobId: string;
  /** False where the user's idempotency key was known. */
  readonly isNew: boolean;
}

/**
 * Starts a run, once: what failed is tried again where it is known that nothing was begun, or can be begun no second time.
 *
 * @throws AutomationError `version_mismatch` for a key that the server can't keep; what `ask` throws
 */
export async function triggerRun(request: EnqueueRequest, context: TriggerContext): Promise<Triggered> {
  const { loaded, signal } = context;
  if (request.idempotencyKey !== undefined) await requireIdempotency(loaded, signal);
  return await retry(() => triggerOnce(request, context), { attempts: loaded.config.retry.attempts, signal });
}

/** A second job is what a user with a key wants least: an older server is told, not put up with. */
async function requireIdempotency({ config }: LoadedConfig, signal: AbortSignal): Promise<void> {
  const version = await serverVersion(config, signal);
  if (featuresOf(version).hasIdempotency) return;
  throw new AutomationError('version_mismatch', `--idempotency-key: Hatchet ${version} has no idempotency keys`, {
    hint: 'upgrade the server to 0.98 or newer, or leave the key away',
    fields: { server_version: version },
  });
}

async function triggerOnce(request: EnqueueRequest, context: TriggerContext): Promise<Triggered> {
  const { client, loaded, namespace, signal } = context;
  const envelope = makeEnvelope(request, request.idempotencyKey);
  try {
    return await ask(loaded, 'enqueue', signal, async () => {
      const run = await client.admin.runWorkflow<JsonObject, JsonObject>(
        request.type,
        envelope as unknown as JsonObject,
        {
          additionalMetadata: metadataOf(namespace, request.type, envelope),
          priority: hatchetPriority(request.priority),
          desiredWorkerLabels: { [hostLabel(request.host)]: { value: 'yes', required: true } },
        },
      );
      return { jobId: await run.getWorkflowRunId(), isNew: true };
    });
  } catch (error) {
    const collision = error instanceof AutomationError ? error.cause : error;
    if (!(collision instanceof IdempotencyCollisionError)) throw await judgeFailure(error, context);
    // Without a key of the user's own, what collides is an earlier try of ours that was taken after all.
    return { jobId: collision.existingRunExternalId, isNew: request.idempotencyKey === undefined };
  }
}

/**
 * Whether a job was taken is not always known when this fails. Where the server has idempotency keys, which every job of ours
 * has, it is simply tried again: it can't be taken twice. (A busy 0.105 answers INTERNAL: "no trigger slots available".)
 */
async function judgeFailure(thrown: unknown, { loaded, signal }: TriggerContext): Promise<AutomationError> {
  const failure = hatchetFailure(thrown, addressOf(loaded));
  const { code, message, hint, isTransient } = failure;
  const mayPass = code === 'hatchet_unreachable' || code === 'timeout' || message.includes('answers INTERNAL');
  if (signal.aborted || isTransient || !mayPass) return failure;
  const version = await serverVersion(loaded.config, signal).catch(() => undefined);
  if (version === undefined || !featuresOf(version).hasIdempotency) return failure;
  return new AutomationError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    isTransient: true,
    cause: failure,
  });
}
