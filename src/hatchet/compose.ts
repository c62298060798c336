import { randomBytes } from 'node:crypto';
import { stringify } from 'yaml';

/** The release that the tests run on: not `latest`, which would upgrade a server behind its workers' back. */
const serverImage = 'ghcr.io/hatchet-dev/hatchet/hatchet-lite:v0.105.0';
const postgresImage = 'postgres:15-alpine';

/** The tenant that Hatchet makes for itself at its first start. */
export const defaultTenantId = '707d0855-80ab-4e1f-a156-f1c4546cbf52';

/** The ports of the reference (context.md, "Hatchet-lite Deployment"). */
export const serverPorts = { http: 8_888, grpc: 7_077, health: 8_733 } as const;

/** Compose's own way to take a value from the `.env`, and to refuse to start without it. */
const fromEnvFile = (name: string): string => `\${${name}:?}`;

const health = (test: string, startPeriod: string) => ({
  test: ['CMD-SHELL', test],
  interval: '5s',
  timeout: '5s',
  retries: 20,
  start_period: startPeriod,
});

/**
 * A compose file for hatchet-lite and PostgreSQL, on this machine's loopback only. Passwords are not in it: they come from
 * the `.env` beside it.
 *
 * It says more than the reference's: that one's HATCHET_DATABASE_URL is a name that Hatchet does not read, without the
 * SERVER_ settings no worker can connect, and without the volume at /config its keys, and with them every token, go with
 * the container.
 */
export function composeFile(): string {
  const { http, grpc, health: healthPort } = serverPorts;
  const password = fromEnvFile('HATCHET_POSTGRES_PASSWORD');
  const compose = {
    name: 'win-automation-hatchet',
    services: {
      postgres: {
        image: postgresImage,
        command: ['postgres', '-c', 'max_connections=200'],
        restart: 'unless-stopped',
        environment: { POSTGRES_USER: 'hatchet', POSTGRES_DB: 'hatchet', POSTGRES_PASSWORD: password },
        volumes: ['hatchet-db:/var/lib/postgresql/data'],
        healthcheck: health('pg_isready -U hatchet -d hatchet', '10s'),
      },
      hatchet: {
        image: serverImage,
        restart: 'unless-stopped',
        depends_on: { postgres: { condition: 'service_healthy' } },
        ports: [http, grpc, healthPort].map((port) => `127.0.0.1:${port}:${port}`),
        environment: {
          DATABASE_URL: `postgresql://hatchet:${password}@postgres:5432/hatchet?sslmode=disable`,
          ADMIN_EMAIL: 'admin@example.com',
          ADMIN_PASSWORD: fromEnvFile('HATCHET_ADMIN_PASSWORD'),
          SERVER_ALLOW_SIGNUP: 'f',
          ...serverEnvironment(),
          LITE_RUNTIME_PORT: `${http}`,
          SERVER_GRPC_BIND_ADDRESS: '0.0.0.0',
          SERVER_HEALTHCHECK_PORT: `${healthPort}`,
        },
        volumes: ['hatchet-config:/config'],
        healthcheck: health(`curl -fs http://localhost:${healthPort}/ready`, '60s'),
      },
    },
    volumes: { 'hatchet-db': {}, 'hatchet-config': {} },
  };
  return stringify(compose, { lineWidth: 0 });
}

/** What a server must be told so that workers on this machine reach it. */
function serverEnvironment(): Readonly<Record<string, string>> {
  const { http, grpc } = serverPorts;
  return {
    SERVER_MSGQUEUE_KIND: 'postgres',
    SERVER_GRPC_INSECURE: 't',
    SERVER_GRPC_PORT: `${grpc}`,
    SERVER_GRPC_BROADCAST_ADDRESS: `localhost:${grpc}`,
    SERVER_INTERNAL_CLIENT_INTERNAL_GRPC_BROADCAST_ADDRESS: `localhost:${grpc}`,
    SERVER_URL: `http://localhost:${http}`,
    SERVER_AUTH_COOKIE_DOMAIN: 'localhost',
    SERVER_AUTH_COOKIE_INSECURE: 't',
    SERVER_AUTH_SET_EMAIL_VERIFIED: 't',
  };
}

/** The passwords that the compose file asks for, made anew. Hatchet wants a capital, a small letter and a digit. */
export function composeSecrets(): string {
  const password = () => `Aa1${randomBytes(18).toString('hex')}`;
  return `HATCHET_POSTGRES_PASSWORD=${password()}\nHATCHET_ADMIN_PASSWORD=${password()}\n`;
}
