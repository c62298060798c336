import { join } from 'node:path';
import process from 'node:process';
import { type LocalHatchet, tokenFileOf, writeLocalHatchet } from '../../config/local-hatchet.ts';
import { sleep } from '../../core/deadline.ts';
import { durationFlag } from '../../core/duration.ts';
import { AutomationError, ProblemsError } from '../../core/errors.ts';
import { serverPorts } from '../../hatchet/compose.ts';
import { mintToken, startContainers } from '../../hatchet/container.ts';
import { defineAction } from '../command.ts';
import type { Invocation, Session } from '../invocation.ts';
import { wholeNumber } from '../job-input.ts';
import { sdNotify } from '../sd-notify.ts';
import { endWithParent, relayed, relayedFlag } from './relay.ts';

export default defineAction({
  name: 'up',
  description: 'Brings up a Hatchet server on this machine, and leaves its address and token for every other command',
  examples: [
    'hatchet up',
    'hatchet up --embedded',
    'hatchet up --embedded --database-url postgresql://me@localhost/hatchet',
  ],
  args: {
    embedded: {
      type: 'boolean',
      description: "run Hatchet's own sidecar in the foreground, until SIGTERM: no containers",
    },
    'database-url': {
      type: 'string',
      valueHint: 'URL',
      description: 'embedded: a PostgreSQL of your own; its password by PGPASSWORD or ~/.pgpass',
    },
    sidecar: {
      type: 'string',
      valueHint: 'FILE',
      description: 'embedded: a sidecar that is there, instead of the release',
    },
    checksum: { type: 'string', valueHint: 'SHA256', description: 'embedded: what the sidecar must be' },
    'grpc-port': { type: 'string', valueHint: 'N', description: 'embedded: (default: 7077)' },
    'api-port': { type: 'string', valueHint: 'N', description: 'embedded: (default: 8888)' },
    [relayedFlag]: { type: 'boolean', description: 'embedded: what is not a log line of ours is told as it is' },
    timeout: { type: 'string', valueHint: 'D', description: 'embedded: until it must be ready (default: 5m)' },
  },
  run: async (invocation, args) => {
    const embeddedOnly = ['database-url', 'sidecar', 'checksum', 'grpc-port', 'api-port', 'timeout'] as const;
    const given = embeddedOnly.filter((name) => args[name] !== undefined);
    if (!args.embedded && given.length > 0) {
      throw new ProblemsError(
        'usage',
        given.map((name) => `--${name} needs --embedded`),
      );
    }
    const readyTimeoutMs = durationFlag('timeout', args.timeout ?? '5m', 1_000);
    if (args.checksum !== undefined && !/^[0-9a-f]{64}$/.test(args.checksum)) {
      throw new AutomationError('usage', '--checksum: give 64 hexadecimal digits');
    }
    const databaseUrl = withoutPassword(args['database-url']);
    const session = await invocation.open();
    if (!args.embedded) return containers(invocation, session);
    if (!args[relayedFlag]) return relayed(invocation);
    endWithParent();
    const { startEmbedded } = await import('../../hatchet/embedded.ts');
    const { signal, output } = invocation;
    await using embedded = await startEmbedded({
      stateDir: session.loaded.config.state_dir,
      sidecarPath: args.sidecar,
      checksum: args.checksum,
      databaseUrl,
      grpcPort: wholeNumber('grpc-port', args['grpc-port']) ?? serverPorts.grpc,
      apiPort: wholeNumber('api-port', args['api-port']) ?? serverPorts.http,
      readyTimeoutMs,
      signal,
    });
    await tell(output, session, embedded.server);
    sdNotify('READY=1', 'STATUS=the embedded server runs');
    while (!signal.aborted) await sleep(2 ** 31 - 1, signal).catch(() => undefined);
    sdNotify('STOPPING=1');
    return 0;
  },
});

async function containers({ signal, output }: Invocation, session: Session): Promise<number> {
  const { loaded, logger } = session;
  const { state_dir } = loaded.config;
  const options = { dir: join(state_dir, 'hatchet'), logger, signal };
  logger.info('hatchet.up', 'starting hatchet-lite and PostgreSQL; images are fetched the first time');
  await startContainers(options);
  const { http, grpc, health } = serverPorts;
  const server = {
    http_url: `http://localhost:${http}`,
    grpc_address: `localhost:${grpc}`,
    health_url: `http://localhost:${health}`,
    token: await mintToken(options),
  };
  await writeLocalHatchet(state_dir, server);
  await tell(output, session, server);
  return 0;
}

/** The environment of whoever does not look into `state_dir`; the token by its file. */
async function tell(output: Invocation['output'], { loaded }: Session, server: LocalHatchet): Promise<void> {
  const environment = {
    WIN_AUTOMATION_HATCHET_HTTP_URL: server.http_url,
    WIN_AUTOMATION_HATCHET_GRPC_ADDRESS: server.grpc_address,
    WIN_AUTOMATION_HATCHET_HEALTH_URL: server.health_url,
    WIN_AUTOMATION_HATCHET_TOKEN_FILE: tokenFileOf(loaded.config.state_dir),
  };
  if (output.isJson) return output.payload({}, { state: 'up', environment });
  await output.text(
    Object.entries(environment)
      .map(([name, value]) => `export ${name}='${value}'\n`)
      .join(''),
  );
}

/** Everybody on the machine can read a command line, the sidecar's as well: a password does not belong there. */
function withoutPassword(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol)) {
    throw new AutomationError('usage', '--database-url: give postgresql://USER@HOST:PORT/DATABASE');
  }
  if (new URL(url).password !== '' || new URL(url).searchParams.has('password')) {
    throw new AutomationError('usage', '--database-url: others can read a password on the command line', {
      hint:
        process.env['PGPASSWORD'] === undefined
          ? 'set PGPASSWORD, or write it into ~/.pgpass'
          : 'PGPASSWORD is set: leave it away',
    });
  }
  return url;
}
