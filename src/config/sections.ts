import { logLevels } from '../core/logger.ts';
import {
  boolean,
  command,
  duration,
  hostAndPort,
  hostName,
  httpUrl,
  integer,
  line,
  oneOf,
  optionalLine,
  port,
  textEncoding,
  type ValueKind,
  variableNames,
} from './values.ts';

/** One setting: how it is read, what it is unless told, and what it is for. */
export interface Setting<T = unknown> {
  readonly kind: ValueKind<T>;
  /** As a user would write it in the file; undefined where there is none. */
  readonly fallback: unknown;
  readonly description: string;
  /** The environment variable, where it is not WIN_AUTOMATION_<SECTION>_<KEY>. */
  readonly env?: string;
}

const setting = <T>(kind: ValueKind<T>, fallback: unknown, description: string, env?: string): Setting<T> => ({
  kind,
  fallback,
  description,
  ...(env === undefined ? {} : { env }),
});

const optional = <T>(kind: ValueKind<T>, description: string): Setting<T | undefined> =>
  setting(kind as ValueKind<T | undefined>, undefined, description);

const seconds = duration('1s', '1h');
const transport = oneOf('direct', 'ssh');
const transportText = 'direct (forwarded ports) or ssh (a channel of the SSH connection)';

/** Sections of which each host may have its own. */
export const hostSections = {
  windows: {
    ssh_host: setting(hostName, 'localhost', 'where Windows OpenSSH answers'),
    ssh_port: setting(port, 22_555, 'its port'),
    ssh_user: setting(line('a user name'), 'administrator', 'the Windows account'),
    ssh_identity_file: optional(
      line('a path'),
      'private key; without it the agent at SSH_AUTH_SOCK, then ~/.ssh/id_ed25519, id_ecdsa, id_rsa',
    ),
    ssh_known_hosts_file: setting(line('a path'), '~/.ssh/known_hosts', 'host keys that are trusted'),
    ssh_host_key_policy: setting(
      oneOf('accept-new', 'strict', 'insecure'),
      'accept-new',
      'a host never seen before is recorded, refused, or any key at all is taken',
    ),
    shell: setting(oneOf('auto', 'cmd', 'powershell', 'pwsh'), 'auto', "the shell that sshd's DefaultShell starts"),
    encoding: setting(
      textEncoding,
      'auto',
      'what output is decoded from where it is not UTF-8: auto (the code page of the host), or a label such as ibm437',
    ),
  },
  aloha: {
    server_url: setting(httpUrl(), 'http://127.0.0.1:7887', 'the Aloha server, as seen from here'),
    client_url: setting(httpUrl('/run_task'), 'http://127.0.0.1:7888', 'the Aloha client, as seen from here'),
    server_start_cmd: setting(optionalLine('a command line'), '', 'starts the Aloha server on Windows'),
    client_start_cmd: setting(optionalLine('a command line'), '', 'starts the Aloha client on Windows'),
    guest_server_url: setting(
      httpUrl(),
      'http://127.0.0.1:7887',
      'the Aloha server, as the Aloha client inside Windows sees it',
    ),
    trace_name: setting(line('a name'), 'example_trace', 'the taught trace that Aloha follows'),
    selected_screen: setting(integer(0, 15), 0, 'the screen that Aloha drives'),
    max_steps: setting(integer(1, 1_000), 50, 'the most steps that a run takes'),
    transport: setting(transport, 'direct', transportText),
    dir: optional(line('a path'), "the folder on Windows that holds Aloha's logs and .cache"),
    start_mode: setting(
      oneOf('interactive', 'direct'),
      'interactive',
      'a scheduled task in the logged-on session, or the SSH session itself',
    ),
  },
  playwright: {
    host: setting(hostName, '127.0.0.1', 'where the Playwright server is reached'),
    port: setting(port, 9_323, 'its port'),
    transport: setting(transport, 'direct', transportText),
  },
} as const;

/** Sections that exist once. */
const globalSections = {
  hatchet: {
    http_url: setting(httpUrl(), 'http://localhost:8888', "Hatchet's UI and REST API"),
    grpc_address: setting(hostAndPort, 'localhost:7077', "Hatchet's gRPC address"),
    health_url: setting(httpUrl(), 'http://localhost:8733', 'where /live and /ready answer'),
    tls_strategy: setting(oneOf('none', 'tls', 'mtls'), 'none', 'how gRPC is encrypted'),
    tls_ca_file: optional(line('a path'), "the certificate authority that Hatchet is trusted by, if not the system's"),
    tls_cert_file: optional(line('a path'), 'the certificate that mtls shows'),
    tls_key_file: optional(line('a path'), 'its private key'),
    tls_server_name: optional(hostName, "the name in gRPC's certificate, if not that of hatchet.grpc_address"),
    namespace: setting(line('a name'), 'default', 'prefix of every workflow; default: none'),
    worker_name: setting(line('a name'), 'win-automation', 'what the dashboard calls this worker'),
    worker_concurrency: setting(integer(1, 100), 5, 'jobs at a time in one worker'),
    job_timeout: setting(seconds, '10m', 'the longest that a job, or a remote command, may take'),
    retry_max: setting(integer(0, 10), 3, 'retries of a failed job'),
    retry_backoff: setting(seconds, '5s', 'the first wait before a retry'),
  },
  jobs: {
    engine: setting(oneOf('auto', 'hatchet', 'local'), 'auto', 'who runs jobs; auto: hatchet where a token is known'),
    store: optional(line('a path'), 'the SQLite file of the local engine; without it <state_dir>/jobs.sqlite'),
  },
  artifacts: {
    out_dir: setting(line('a path'), './artifacts', 'where job folders are made', 'WIN_AUTOMATION_ARTIFACT_OUT'),
    retention_days: setting(
      integer(1, 3_650),
      7,
      'days until a job folder may be removed',
      'WIN_AUTOMATION_ARTIFACT_RETENTION_DAYS',
    ),
    mirror_to_windows: setting(
      boolean,
      false,
      'keep a copy under C:\\ProgramData\\win-automation\\artifacts',
      'WIN_AUTOMATION_ARTIFACT_MIRROR_TO_WINDOWS',
    ),
  },
  supervisor: {
    interval: setting(seconds, '30s', 'from one pass to the next'),
    failure_threshold: setting(integer(1, 100), 3, 'failed passes in a row that open the breaker'),
    cooldown: setting(seconds, '60s', 'how long an open breaker holds remedies back'),
    on_change_cmd: optional(command, 'run when the state changes, with JSON on its standard input'),
    on_change_env: optional(variableNames, 'secret variables that it gets; without them it gets all others alone'),
    webhook_url: optional(httpUrl(), 'posted to when the state changes'),
  },
  retry: {
    attempts: setting(integer(1, 10), 3, 'tries in all of what may succeed a moment later'),
  },
} as const;

/** Settings outside any section. */
const topLevel = {
  state_dir: setting(line('a path'), '~/.local/state/win-automation', 'state that outlives a process'),
  timeout: setting(seconds, '10s', 'one try at reaching a service: connection and handshake, or an answer'),
  log_level: setting(oneOf(...logLevels), 'info', 'the least level that is logged'),
} as const;

export const sections = { ...hostSections, ...globalSections, '': topLevel } as const;

export interface Secret {
  /** `section.name`, as messages call it. */
  readonly key: string;
  readonly env: string;
  readonly description: string;
}

/** What is taken from the environment only, each also as a file named by `<env>_FILE`. */
export const secrets = {
  sshPassword: {
    key: 'windows.ssh_password',
    env: 'WIN_AUTOMATION_WINDOWS_SSH_PASSWORD',
    description: "the Windows account's password",
  },
  sshPassphrase: {
    key: 'windows.ssh_passphrase',
    env: 'WIN_AUTOMATION_WINDOWS_SSH_PASSPHRASE',
    description: 'opens an encrypted private key',
  },
  hatchetToken: {
    key: 'hatchet.token',
    env: 'WIN_AUTOMATION_HATCHET_TOKEN',
    description: "Hatchet's API token",
  },
  playwrightWsPath: {
    key: 'playwright.ws_path',
    env: 'WIN_AUTOMATION_PLAYWRIGHT_WS_PATH',
    description: 'the secret path of the Playwright server',
  },
} as const satisfies Record<string, Secret>;

export type SecretName = keyof typeof secrets;

type ValueOf<S> = S extends Setting<infer T> ? T : never;
type SectionValues<S> = { readonly [K in keyof S]: ValueOf<S[K]> };

/** The sections that describe one Windows host. */
export type HostConfig = { readonly [K in keyof typeof hostSections]: SectionValues<(typeof hostSections)[K]> };

/** The effective configuration: every setting under the name that the file gives it, durations in milliseconds. */
export type Config = HostConfig & {
  readonly [K in keyof typeof globalSections]: SectionValues<(typeof globalSections)[K]>;
} & SectionValues<typeof topLevel> & {
    /** The sections of each named host, overrides applied. */
    readonly hosts: Readonly<Record<string, HostConfig>>;
  };

export interface NamedSetting {
  /** `windows.ssh_host`, or `timeout` at the top level. */
  readonly key: string;
  readonly section: string;
  readonly name: string;
  readonly env: string;
  readonly setting: Setting;
}

/** Every setting in the order of the documentation. */
export const settings: readonly NamedSetting[] = Object.entries(sections).flatMap(([section, members]) =>
  Object.entries(members as Record<string, Setting>).map(([name, member]) => {
    const key = section === '' ? name : `${section}.${name}`;
    const env = member.env ?? `WIN_AUTOMATION_${key.replace('.', '_').toUpperCase()}`;
    return { key, section, name, env, setting: member };
  }),
);
