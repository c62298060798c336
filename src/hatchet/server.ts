import * as v from 'valibot';
import type { LoadedConfig } from '../config/load.ts';
import { AutomationError, messageOf } from '../core/errors.ts';
import { get } from '../http/request.ts';
import { type CompatibilityVerdict, judgeServer } from './compatibility.ts';
import { trustedBy } from './tls.ts';

const versionSchema = v.object({ version: v.pipe(v.string(), v.maxLength(64)) });

/** What a Hatchet server says of itself, asked without a token. */
export interface ServerStatus extends CompatibilityVerdict {
  readonly isLive: boolean;
  readonly isReady: boolean;
  /** Such as `v0.105.0`; undefined where it can't be had. */
  readonly serverVersion: string | undefined;
  /** Why something could not be had. */
  readonly problem: AutomationError | undefined;
}

/**
 * Asks a server whether it is alive, ready, and of which version: all at once, each by its own deadline.
 *
 * @throws AutomationError `config_invalid` where `hatchet.tls_ca_file` can't be read; the signal's reason
 */
export async function probeServer({ config }: LoadedConfig, signal: AbortSignal): Promise<ServerStatus> {
  const { health_url } = config.hatchet;
  const ca = trustedBy(config);
  const ask = async (path: string) => {
    const { status } = await get({ url: health_url + path, timeoutMs: config.timeout, attempts: 1, ca, signal });
    if (status === 200) return;
    throw new AutomationError('hatchet_unreachable', `${health_url}${path} answers ${status}`, {
      hint: 'it may be starting, or has lost its database: try again in a minute',
    });
  };
  const [live, ready, version] = await Promise.allSettled([ask('/live'), ask('/ready'), serverVersion(config, signal)]);
  signal.throwIfAborted();
  const known = version.status === 'fulfilled' ? version.value : undefined;
  const verdict =
    known === undefined
      ? ({ compatibility: 'degraded', note: 'the version could not be asked' } as const)
      : judgeServer(known);
  const failed = [live, ready, version].find((one) => one.status === 'rejected');
  return {
    ...verdict,
    isLive: live.status === 'fulfilled',
    isReady: ready.status === 'fulfilled',
    serverVersion: known,
    problem: failed === undefined ? undefined : asOurs(failed.reason),
  };
}

/**
 * The version of the server, from its REST API.
 *
 * @throws AutomationError `hatchet_unreachable`, `http_unreachable`, `timeout`, `config_invalid`
 */
export async function serverVersion(config: LoadedConfig['config'], signal: AbortSignal): Promise<string> {
  const url = `${config.hatchet.http_url}/api/v1/version`;
  const { status, body } = await get({
    url,
    timeoutMs: config.timeout,
    attempts: config.retry.attempts,
    ca: trustedBy(config),
    signal,
  });
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), versionSchema), body);
  if (status === 200 && parsed.success) return parsed.output.version;
  throw new AutomationError('hatchet_unreachable', `${url} answers ${status}, and not as Hatchet does`, {
    hint: 'hatchet.http_url must be where its REST API answers',
  });
}

const asOurs = (error: unknown): AutomationError =>
  error instanceof AutomationError ? error : new AutomationError('internal', messageOf(error), { cause: error });
