import { Agent } from 'node:https';
import { HatchetClient } from '@hatchet-dev/typescript-sdk/v1/client/client.js';
import type { LoadedConfig } from '../config/load.ts';
import { abortable, Deadline } from '../core/deadline.ts';
import { AutomationError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { hatchetFailure } from './failure.ts';
import { tlsConfigOf, trustedBy } from './tls.ts';
import { readToken } from './token.ts';

/** How long the SDK's own logger finds nothing strange in a cancelled job that cleans up after itself. */
const cancellationMs = 120_000;
/** The message limit of the server, which is the SDK's own default as well. */
const maxMessageBytes = 4 * 1024 * 1024;

/**
 * A client of the SDK that follows our configuration alone: everything that the SDK would else take from HATCHET_CLIENT_*
 * is set.
 *
 * @throws AutomationError `hatchet_refused` where there is no token, or none that can be used; `config_invalid` where the
 *   settings of TLS can't be followed
 */
export function makeHatchetClient({ config, secrets }: LoadedConfig, logger: Logger): HatchetClient {
  const { hatchet } = config;
  const token = secrets.hatchetToken;
  if (token === undefined) {
    throw new AutomationError('hatchet_refused', 'there is no token for Hatchet', {
      hint: 'set WIN_AUTOMATION_HATCHET_TOKEN or WIN_AUTOMATION_HATCHET_TOKEN_FILE, or run win-automation hatchet up',
    });
  }
  readToken(token, new Date());
  const ca = trustedBy(config);
  return new HatchetClient(
    {
      token,
      host_port: hatchet.grpc_address,
      api_url: hatchet.http_url,
      tls_config: tlsConfigOf(config),
      namespace: namespaceOf(hatchet.namespace),
      healthcheck: { enabled: false, port: 8_001 },
      // The thread that sends heartbeats prints by itself what is less than an error.
      log_level: 'ERROR',
      logger: (context) => sdkLogger(logger, context),
      otel: { excludedAttributes: [], includeTaskNameInSpanName: false, individualRunSpansForBulkRun: false },
      grpc_max_recv_message_length: maxMessageBytes,
      grpc_max_send_message_length: maxMessageBytes,
      cancellation_grace_period: cancellationMs,
      cancellation_warning_threshold: cancellationMs,
      // A job that was perhaps taken is not enqueued once more; who may try again does so itself.
      retrier: { maxAttempts: 1, initialInterval: 0.5, maxJitter: 100 },
    },
    undefined,
    { timeout: config.timeout, ...(ca === undefined ? {} : { httpsAgent: new Agent({ ca }) }) },
  );
}

/** `default` is Hatchet's own unnamed namespace: names without a prefix. */
export const namespaceOf = (name: string): string => (name === 'default' ? '' : name.toLowerCase());

/** Where a client asks, for messages. */
export const addressOf = ({ config }: LoadedConfig): string =>
  `${config.hatchet.http_url} (gRPC ${config.hatchet.grpc_address})`;

/**
 * Waits for a call of the SDK, which knows neither signals nor deadlines, as long as may be.
 *
 * @param what completes the sentence "… did not end within 10s"
 * @throws AutomationError `hatchet_unreachable`, `hatchet_refused`, `hatchet_failed`, `timeout`; the signal's reason
 */
export async function ask<T>(
  loaded: LoadedConfig,
  what: string,
  signal: AbortSignal,
  call: () => Promise<T>,
): Promise<T> {
  using deadline = new Deadline(loaded.config.timeout, `${what}, Hatchet at ${addressOf(loaded)},`, signal);
  try {
    return await abortable(call(), deadline.signal);
  } catch (error) {
    deadline.signal.throwIfAborted();
    throw hatchetFailure(error, addressOf(loaded));
  }
}

/** What the SDK says, through our logger; most of it is of interest to nobody but who looks for a fault. */
function sdkLogger(logger: Logger, context: string) {
  const own = logger.child('hatchet');
  const op = context.split('/')[0] ?? context;
  const detail = (error: unknown) => (error === undefined ? {} : { err: String(error) });
  return {
    debug: async (message: string) => own.debug(op, message),
    info: async (message: string) => own.debug(op, message),
    green: async (message: string) => own.debug(op, message),
    // A job's failure is told by the job; what is wrong with the connection, by who watches it.
    warn: async (message: string, error?: Error) => own.debug(op, message, detail(error)),
    error: async (message: string, error?: Error) => own.debug(op, message, detail(error)),
    util: async () => undefined,
  };
}
