import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { KeyPair } from './certificates.ts';
import { eventually } from './processes.ts';

/** The servers that the suites run on: what the pinned SDK was made for, and what is in production. */
export const hatchetVersions = ['v0.105.0', 'v0.77.36'] as const;
export type HatchetVersion = (typeof hatchetVersions)[number];

const cache =
  process.env['WIN_AUTOMATION_TEST_HATCHET_DIR'] ??
  join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'win-automation-test', 'hatchet');
const tenantId = '707d0855-80ab-4e1f-a156-f1c4546cbf52';

const binary = (version: HatchetVersion, name: 'migrate' | 'admin' | 'lite') => join(cache, version, `hatchet-${name}`);
const postgresBin = existsSync('/usr/lib/postgresql')
  ? readdirSync('/usr/lib/postgresql')
      .sort()
      .map((release) => `/usr/lib/postgresql/${release}/bin`)
      .at(-1)
  : undefined;

/** Why Hatchet's own server can't be run here, or undefined if it can. */
export function whyNoHatchet(version: HatchetVersion): string | undefined {
  if (process.versions['bun'] === undefined) return 'the suites of Hatchet run under Bun';
  if (postgresBin === undefined) return 'no PostgreSQL: node test/setup-hatchet.mjs';
  return existsSync(binary(version, 'lite')) ? undefined : `no Hatchet ${version}: node test/setup-hatchet.mjs`;
}

export interface ServerOptions {
  /** Whether the database waits for the disk, as one of a user's does: what is to be timed needs it. */
  readonly isDurable?: boolean;
  /** How gRPC is encrypted; it is not, without. */
  readonly tls?: { readonly strategy: 'tls' | 'mtls'; readonly ca: string; readonly server: KeyPair };
}

/** A real Hatchet server with a database of its own, in a folder that goes with it. */
export class HatchetServer {
  readonly version: HatchetVersion;
  readonly #dir = mkdtempSync(join(tmpdir(), 'wa-hatchet-'));
  readonly #ports: Readonly<Record<'http' | 'grpc' | 'health' | 'api' | 'static' | 'postgres', number>>;
  #lite: ChildProcess | undefined;

  readonly #options: ServerOptions;

  private constructor(version: HatchetVersion, options: ServerOptions, ports: readonly number[]) {
    this.version = version;
    this.#options = options;
    const [http = 0, grpc = 0, health = 0, api = 0, statics = 0, postgres = 0] = ports;
    this.#ports = { http, grpc, health, api, static: statics, postgres };
  }

  /** Starts one. A port that was free may be somebody else's by the time the engine wants it: then others are tried. */
  static async start(version: HatchetVersion, options: ServerOptions = {}, tries = 3): Promise<HatchetServer> {
    const server = new HatchetServer(version, options, await freePorts(6));
    try {
      server.#makeDatabase();
      server.startDatabase();
      server.#sql('postgres', 'CREATE DATABASE hatchet');
      const env = server.#env();
      execFileSync(binary(version, 'migrate'), { env, cwd: server.#dir, stdio: 'ignore' });
      const quickstart = ['quickstart', '--skip', 'certs', '--generated-config-dir', './config', '--overwrite=false'];
      execFileSync(binary(version, 'admin'), quickstart, { env, cwd: server.#dir, stdio: 'ignore' });
      mkdirSync(join(server.#dir, 'static'));
      writeFileSync(join(server.#dir, 'static/index.html'), '<title>no dashboard</title>');
      await server.startEngine();
      return server;
    } catch (error) {
      await server.close();
      if (tries > 1 && String(error).includes('address already in use'))
        return HatchetServer.start(version, options, tries - 1);
      throw error;
    }
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.#ports.http}`;
  }

  get healthUrl(): string {
    return `http://127.0.0.1:${this.#ports.health}`;
  }

  get grpcPort(): number {
    return this.#ports.grpc;
  }

  /** What a client of this server is configured with. */
  env(token = this.token()): Record<string, string> {
    return {
      WIN_AUTOMATION_HATCHET_HTTP_URL: this.httpUrl,
      WIN_AUTOMATION_HATCHET_GRPC_ADDRESS: `127.0.0.1:${this.#ports.grpc}`,
      WIN_AUTOMATION_HATCHET_HEALTH_URL: this.healthUrl,
      WIN_AUTOMATION_HATCHET_TOKEN: token,
    };
  }

  #token: string | undefined;

  token(): string {
    this.#token ??= execFileSync(
      binary(this.version, 'admin'),
      ['token', 'create', '--config', './config', '--tenant-id', tenantId],
      { env: this.#env(), cwd: this.#dir, stdio: ['ignore', 'pipe', 'ignore'] },
    )
      .toString()
      .trim();
    return this.#token;
  }

  async startEngine(): Promise<void> {
    const log = join(this.#dir, 'engine.log');
    const script = `exec "$0" --config ./config >> ${log} 2>&1`;
    this.#lite = spawn('/bin/sh', ['-c', script, binary(this.version, 'lite')], {
      env: this.#env(),
      cwd: this.#dir,
      stdio: 'ignore',
    });
    // Its API comes up beside the engine, and is not part of the engine's being ready.
    const answers = (url: string) =>
      fetch(url).then(
        ({ status }) => status === 200,
        () => false,
      );
    const isReady = async () => {
      if (this.#lite?.exitCode !== null) throw new Error('the engine ended');
      return (await answers(`${this.healthUrl}/ready`)) && (await answers(`${this.httpUrl}/api/v1/version`));
    };
    await eventually('Hatchet is ready', isReady, 60_000).catch((error: unknown) => {
      throw new Error(`${error}\n${readFileSync(log, 'utf8').slice(-2_000)}`);
    });
  }

  async stopEngine(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const lite = this.#lite;
    if (lite === undefined || lite.exitCode !== null || lite.signalCode !== null) return;
    const ended = new Promise((done) => lite.once('exit', done));
    lite.kill(signal);
    await ended;
  }

  startDatabase(): void {
    const fsync = this.#options.isDurable ? 'on' : 'off';
    const options = `-p ${this.#ports.postgres} -c listen_addresses=127.0.0.1 -c max_connections=200 -c fsync=${fsync} -k ${this.#dir}/pg`;
    this.#admin('pg_ctl', ['-D', `${this.#dir}/pg/data`, '-o', options, '-l', `${this.#dir}/pg/log`, '-w', 'start']);
  }

  stopDatabase(): void {
    this.#admin('pg_ctl', ['-D', `${this.#dir}/pg/data`, '-m', 'immediate', '-w', 'stop']);
  }

  async close(): Promise<void> {
    await this.stopEngine();
    if (existsSync(join(this.#dir, 'pg/data/postmaster.pid'))) this.stopDatabase();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #makeDatabase(): void {
    const pg = join(this.#dir, 'pg');
    mkdirSync(pg);
    if (process.getuid?.() === 0) {
      // PostgreSQL refuses to run as root.
      const [uid = 0, gid = 0] = execFileSync('/bin/sh', ['-c', 'id -u postgres; id -g postgres'])
        .toString()
        .trim()
        .split('\n')
        .map(Number);
      chownSync(pg, uid, gid);
      chownSync(this.#dir, uid, gid);
    }
    this.#admin('initdb', ['-D', join(pg, 'data'), '-U', 'hatchet', '--auth=trust', '--no-sync']);
  }

  /**
   * Takes from the REST API what it knows of a run: an engine that is killed while it tells of one leaves it like that, since
   * what was being read from its queue is not read again.
   */
  forget(runId: string): void {
    for (const table of ['v1_lookup_table_olap', 'v1_runs_olap', 'v1_tasks_olap'])
      this.#sql('hatchet', `DELETE FROM ${table} WHERE external_id = '${runId}'`);
  }

  /** Has reports of jobs' ends taken, answered and never read, as by an engine that is killed in between; until `heed`. */
  ignoreEnds(): void {
    this.#sql(
      'hatchet',
      `CREATE FUNCTION ignore_end() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF NEW.payload::text ~ '"task-(completed|failed)"' THEN NEW.status = 'ASSIGNED'; END IF;
          RETURN NEW;
        END $$;
        CREATE TRIGGER ignore_end BEFORE INSERT ON "MessageQueueItem"
          FOR EACH ROW EXECUTE FUNCTION ignore_end()`,
    );
  }

  heed(): void {
    this.#sql('hatchet', 'DROP FUNCTION ignore_end CASCADE');
  }

  /** How many tasks the engine takes for running. */
  runningTasks(): number {
    return Number(this.#sql('hatchet', 'SELECT count(*) FROM v1_task_runtime'));
  }

  /** @returns what the statement gives, bare */
  #sql(database: string, statement: string): string {
    const { postgres } = this.#ports;
    const argv = ['-h', '127.0.0.1', '-p', `${postgres}`, '-U', 'hatchet', '-d', database, '-At', '-c', statement];
    return this.#admin('psql', argv);
  }

  #admin(program: string, args: readonly string[]): string {
    const argv = [join(postgresBin ?? '', program), ...args];
    const asPostgres = process.getuid?.() === 0 ? ['runuser', '-u', 'postgres', '--', ...argv] : argv;
    const [first = '', ...rest] = asPostgres;
    return execFileSync(first, rest, { stdio: ['ignore', 'pipe', 'ignore'], cwd: '/' }).toString();
  }

  #tlsEnv(): Record<string, string> {
    const { tls } = this.#options;
    if (tls === undefined) return { SERVER_GRPC_INSECURE: 't' };
    return {
      SERVER_TLS_STRATEGY: tls.strategy,
      SERVER_TLS_ROOT_CA_FILE: tls.ca,
      SERVER_TLS_CERT_FILE: tls.server.cert,
      SERVER_TLS_KEY_FILE: tls.server.key,
    };
  }

  #env(): Record<string, string> {
    const { http, grpc, health, api, static: statics, postgres } = this.#ports;
    return {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: `postgresql://hatchet@127.0.0.1:${postgres}/hatchet?sslmode=disable`,
      SERVER_MSGQUEUE_KIND: 'postgres',
      SERVER_GRPC_BIND_ADDRESS: '127.0.0.1',
      SERVER_GRPC_PORT: `${grpc}`,
      SERVER_GRPC_BROADCAST_ADDRESS: `127.0.0.1:${grpc}`,
      SERVER_INTERNAL_CLIENT_INTERNAL_GRPC_BROADCAST_ADDRESS: `127.0.0.1:${grpc}`,
      SERVER_URL: this.httpUrl,
      SERVER_AUTH_COOKIE_DOMAIN: 'localhost',
      SERVER_AUTH_COOKIE_INSECURE: 't',
      SERVER_AUTH_SET_EMAIL_VERIFIED: 't',
      SERVER_PORT: `${api}`,
      SERVER_HEALTHCHECK_PORT: `${health}`,
      LITE_STATIC_ASSET_DIR: join(this.#dir, 'static'),
      LITE_FRONTEND_PORT: `${statics}`,
      LITE_RUNTIME_PORT: `${http}`,
      ...this.#tlsEnv(),
    };
  }
}

/** Ports that nobody has at the moment, all of them different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
