import { join } from 'node:path';
import { startEmbeddedSidecar } from '@hatchet-dev/typescript-sdk/v1/embedded.js';
import { type LocalHatchet, removeLocalHatchet, writeLocalHatchet } from '../config/local-hatchet.ts';
import { abortable } from '../core/deadline.ts';
import type { Milliseconds } from '../core/duration.ts';
import { AutomationError, messageOf } from '../core/errors.ts';

/** The release of hatchet-embedded that goes with the tested server. */
const sidecarVersion = 'v0.105.0';

export interface EmbeddedOptions {
  readonly stateDir: string;
  /** A sidecar that is there already; without it the release is fetched, and checked against its published checksums. */
  readonly sidecarPath: string | undefined;
  /** What the sidecar's SHA-256 must be, 64 hexadecimal digits. */
  readonly checksum: string | undefined;
  /** A PostgreSQL of the user's own, without its password; without it the sidecar's is used. */
  readonly databaseUrl: string | undefined;
  readonly grpcPort: number;
  readonly apiPort: number;
  readonly readyTimeoutMs: Milliseconds;
  readonly signal: AbortSignal;
}

/** A server that runs inside a child of this process. */
export interface EmbeddedServer extends AsyncDisposable {
  readonly server: LocalHatchet;
}

/**
 * Starts Hatchet's own sidecar and leaves its address and token for every other command; disposing it stops the server and
 * takes both away again.
 *
 * @throws AutomationError `container_failed` where the sidecar can't be had or does not come up; the signal's reason
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const { stateDir, sidecarPath, checksum, databaseUrl, grpcPort, apiPort, readyTimeoutMs, signal } = options;
  const starting = startEmbeddedSidecar({
    version: sidecarVersion,
    ...(sidecarPath === undefined ? {} : { binaryPath: sidecarPath }),
    ...(checksum === undefined ? {} : { checksum }),
    ...(databaseUrl === undefined ? { postgresDataDir: join(stateDir, 'hatchet-postgres') } : { databaseUrl }),
    grpcPort,
    apiPort,
    readyTimeoutMs,
  });
  try {
    const { token, grpcAddress, apiUrl, stop } = await abortable(starting, signal);
    const http_url = apiUrl.replace(/\/+$/, '');
    // The sidecar has no health port; its REST API answers the same two questions.
    const server = { http_url, grpc_address: grpcAddress, health_url: `${http_url}/api`, token };
    await writeLocalHatchet(stateDir, server);
    const dispose = async () => {
      await removeLocalHatchet(stateDir);
      await stop();
    };
    return { server, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    // Interrupted while it starts: it must not stay behind.
    starting.then(({ stop }) => stop()).catch(() => undefined);
    signal.throwIfAborted();
    throw new AutomationError('container_failed', `the embedded server does not come up: ${messageOf(error)}`, {
      hint: 'fetch the sidecar elsewhere and give it by --sidecar, or use win-automation hatchet up, hatchet server start, or the NixOS module',
      cause: error,
    });
  }
}
