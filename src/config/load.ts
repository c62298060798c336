import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import * as v from 'valibot';
import { AutomationError, ProblemsError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import { createRedactor, type Redact } from '../core/redact.ts';
import { readJsonFile, readSmallFile } from './file.ts';
import { readLocalHatchet } from './local-hatchet.ts';
import {
  type Config,
  type HostConfig,
  hostSections,
  type NamedSetting,
  type Secret,
  type SecretName,
  secrets,
  sections,
  settings,
} from './sections.ts';
import { strayVariables } from './stray-variables.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a value came from: `default`, `file` or the name of an environment variable. */
export type Origin = string;

export interface LoadedConfig {
  readonly config: Config;
  /** By key, such as `windows.ssh_port` or `hosts.alpha.windows.ssh_port`. */
  readonly origins: Readonly<Record<string, Origin>>;
  readonly secrets: Readonly<Partial<Record<SecretName, string>>>;
  /** The file that was read, if one was named. */
  readonly file: string | undefined;
  readonly redact: Redact;
  /** What is worth a word but no error, such as a variable that nothing reads. */
  readonly warnings: readonly string[];
  /** SSH_AUTH_SOCK, where it is set. */
  readonly agentSocket: string | undefined;
  readonly homeDir: string;
  /** Our environment without our secrets, for commands of the user's (supervisor.on_change_env names those that go along). */
  readonly commandEnv: Environment;
}

/** The origin of what `hatchet up` left. */
const localHatchetOrigin = 'hatchet up';

const pathKeys = new Set([
  'windows.ssh_identity_file',
  'windows.ssh_known_hosts_file',
  'hatchet.tls_ca_file',
  'hatchet.tls_cert_file',
  'hatchet.tls_key_file',
  'jobs.store',
  'artifacts.out_dir',
  'state_dir',
]);

const hostNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Findings {
  readonly problems: string[];
  readonly origins: Record<string, Origin>;
  readonly homeDir: string;
}

/**
 * Resolves the effective configuration: defaults, then the JSON file, then the environment (context.md,
 * "Configuration Precedence"). Every fault is found in one go.
 *
 * @param options.file the file of `--config`; without it WIN_AUTOMATION_CONFIG; without both none is read
 * @throws ProblemsError `config_invalid`: each problem names the key, where the value came from, the value unless it is
 *   a secret, and what would be accepted
 */
export async function loadConfig(options: { readonly file?: string | undefined; readonly env: Environment }) {
  const { env } = options;
  const file = options.file ?? (env['WIN_AUTOMATION_CONFIG'] || undefined);
  const document = file === undefined ? {} : await readJsonFile(file, 'configuration file');
  const homeDir = env['HOME'] || homedir();
  const findings: Findings = { problems: [], origins: {}, homeDir };
  if (!isRecord(document)) {
    throw new ProblemsError('config_invalid', [`configuration file ${file}: it holds no JSON object`]);
  }

  findings.problems.push(...unknownKeys(document));
  const values = resolveSettings(document, env, findings);
  const config = { ...values, hosts: resolveHosts(document['hosts'], values as HostConfig, findings) } as Config;
  const known = await resolveSecrets(env, findings);
  await adoptLocalHatchet(config, known, findings);
  if (findings.problems.length > 0) throw new ProblemsError('config_invalid', findings.problems);
  const loaded: LoadedConfig = {
    config,
    origins: findings.origins,
    secrets: known,
    file,
    // Whoever knows a webhook's address may post there.
    redact: createRedactor([...Object.values(known), config.supervisor.webhook_url ?? '']),
    warnings: strayVariables(env, known.hatchetToken !== undefined),
    agentSocket: env['SSH_AUTH_SOCK'] || undefined,
    homeDir,
    commandEnv: withoutSecrets(env, config.supervisor.on_change_env ?? []),
  };
  return loaded;
}

function withoutSecrets(env: Environment, kept: readonly string[]): Environment {
  const secret = new Set<string>(Object.values<Secret>(secrets).map((one) => one.env));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secret.has(name) || kept.includes(name)));
}

/** The sections of one host: the default one, or the one that `--host` names. */
export function hostConfig(config: Config, name = 'default'): HostConfig {
  if (name === 'default') return config;
  const host = config.hosts[name];
  if (host !== undefined) return host;
  const known = ['default', ...Object.keys(config.hosts)];
  throw new AutomationError('usage', `--host ${name}: no such host${didYouMean(name, known)}`, {
    hint: `the configuration knows ${known.join(', ')}`,
  });
}

/** Parses one raw value; a problem is noted and undefined returned where it doesn't fit. */
function parseSetting(named: NamedSetting, raw: unknown, key: string, origin: Origin, findings: Findings): unknown {
  const { kind } = named.setting;
  const parsed = v.safeParse(kind.schema, raw);
  if (!parsed.success) {
    findings.problems.push(`${key}: ${shown(raw)} (from ${origin}) is not accepted: give ${kind.accepts}`);
    return undefined;
  }
  findings.origins[key] = origin;
  return pathKeys.has(named.key) ? expandHome(String(parsed.output), findings.homeDir) : parsed.output;
}

function resolveSettings(document: Record<string, unknown>, env: Environment, findings: Findings) {
  const values: Record<string, unknown> = {};
  for (const named of settings) {
    const { section, name, key, setting } = named;
    const holder = section === '' ? document : document[section];
    const inFile = isRecord(holder) ? holder[name] : undefined;
    const inEnvironment = env[named.env] || undefined;
    let value: unknown;
    if (inFile !== undefined) value = parseSetting(named, inFile, key, 'file', findings);
    if (inEnvironment !== undefined) {
      value = parseSetting(named, setting.kind.fromText(inEnvironment), key, named.env, findings);
    }
    if (inFile === undefined && inEnvironment === undefined) {
      const fallback = key === 'state_dir' ? stateDirOf(env) : setting.fallback;
      if (fallback === undefined) findings.origins[key] = 'default';
      else value = parseSetting(named, fallback, key, 'default', findings);
    }
    if (section === '') values[name] = value;
    else values[section] = { ...(values[section] as object | undefined), [name]: value };
  }
  return values;
}

function resolveHosts(hosts: unknown, base: HostConfig, findings: Findings): Record<string, HostConfig> {
  if (hosts === undefined) return {};
  if (!isRecord(hosts)) {
    findings.problems.push(`hosts: ${shown(hosts)} (from file) is not accepted: give an object, a member a host`);
    return {};
  }
  const resolved: Record<string, HostConfig> = {};
  for (const [host, overrides] of Object.entries(hosts)) {
    if (!hostNamePattern.test(host) || host === 'default') {
      findings.problems.push(
        `hosts: ${shown(host)} (from file) is not accepted: give a name of letters, digits, dots, dashes and underscores other than default`,
      );
      continue;
    }
    resolved[host] = overrideSections(`hosts.${host}`, overrides, base, findings);
  }
  return resolved;
}

function overrideSections(prefix: string, overrides: unknown, base: HostConfig, findings: Findings): HostConfig {
  const own: Record<string, Record<string, unknown>> = {};
  for (const section of Object.keys(hostSections)) own[section] = { ...base[section as keyof HostConfig] };
  if (!isRecord(overrides)) {
    findings.problems.push(`${prefix}: ${shown(overrides)} (from file) is not accepted: give an object`);
    return base;
  }
  for (const named of settings) {
    const target = own[named.section];
    const section = overrides[named.section];
    if (target === undefined || !isRecord(section) || section[named.name] === undefined) continue;
    const key = `${prefix}.${named.key}`;
    target[named.name] = parseSetting(named, section[named.name], key, 'file', findings);
  }
  return own as unknown as HostConfig;
}

/** Names every key of the file that means nothing, with the nearest that does. */
function unknownKeys(document: Record<string, unknown>): string[] {
  const topLevel = [...Object.keys(sections).filter(Boolean), ...Object.keys(sections['']), 'hosts', '$schema'];
  const problems = unknownMembers('', document, topLevel);
  problems.push(...unknownSectionMembers('', document, Object.keys(sections).filter(Boolean)));
  const hosts = isRecord(document['hosts']) ? document['hosts'] : {};
  for (const [host, overrides] of Object.entries(hosts)) {
    if (!isRecord(overrides)) continue;
    const prefix = `hosts.${host}.`;
    problems.push(...unknownMembers(prefix, overrides, Object.keys(hostSections)));
    problems.push(...unknownSectionMembers(prefix, overrides, Object.keys(hostSections)));
  }
  return problems;
}

function unknownMembers(prefix: string, holder: Record<string, unknown>, known: readonly string[]): string[] {
  return Object.keys(holder)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const secret = Object.values<Secret>(secrets).find(({ key }) => key === `${prefix}${name}`);
      return secret === undefined
        ? `${prefix}${name}: unknown key${didYouMean(name, known)}`
        : `${prefix}${name}: a secret is not kept in the file: set ${secret.env} or ${secret.env}_FILE`;
    });
}

function unknownSectionMembers(prefix: string, holder: Record<string, unknown>, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const section = holder[name];
    if (section === undefined) return [];
    if (!isRecord(section)) return [`${prefix}${name}: ${shown(section)} (from file) is not accepted: give an object`];
    return unknownMembers(`${prefix}${name}.`, section, Object.keys(sections[name as keyof typeof sections]));
  });
}

async function resolveSecrets(env: Environment, findings: Findings) {
  const known: Partial<Record<SecretName, string>> = {};
  for (const [name, { key, env: variable }] of Object.entries<Secret>(secrets)) {
    const [direct, file] = [env[variable] || undefined, env[`${variable}_FILE`] || undefined];
    findings.origins[key] = direct !== undefined ? variable : file !== undefined ? `${variable}_FILE` : 'default';
    if (direct !== undefined && file !== undefined) {
      findings.problems.push(`${key}: both ${variable} and ${variable}_FILE are set: keep one`);
    } else if (direct !== undefined) {
      known[name as SecretName] = direct;
    } else if (file !== undefined) {
      try {
        const text = readSmallFile(file, `${key}: the file of ${variable}_FILE,`).replace(/\r?\n$/, '');
        if (text === '') findings.problems.push(`${key}: the file of ${variable}_FILE, ${file}: it is empty`);
        else known[name as SecretName] = text;
      } catch (error) {
        if (!(error instanceof ProblemsError)) throw error;
        findings.problems.push(...error.problems);
      }
    }
  }
  return known;
}

/** Without a token of the user's own, the server that `hatchet up` left is the one: its token, and where it answers. */
async function adoptLocalHatchet(
  { jobs, state_dir, hatchet }: Config,
  known: Partial<Record<SecretName, string>>,
  { problems, origins }: Findings,
): Promise<void> {
  if (problems.length > 0 || jobs.engine === 'local' || known.hatchetToken !== undefined) return;
  const server = await readLocalHatchet(state_dir);
  if (server === undefined) return;
  known.hatchetToken = server.token;
  origins['hatchet.token'] = localHatchetOrigin;
  const target = hatchet as { -readonly [K in keyof typeof hatchet]: (typeof hatchet)[K] };
  for (const name of ['http_url', 'grpc_address', 'health_url'] as const) {
    // What the user says goes before what was found.
    if (origins[`hatchet.${name}`] !== 'default') continue;
    target[name] = server[name];
    origins[`hatchet.${name}`] = localHatchetOrigin;
  }
}

function stateDirOf(env: Environment): string {
  const base = env['XDG_STATE_HOME'];
  // The XDG base directory specification: a relative path there is to be ignored.
  return base !== undefined && isAbsolute(base) ? join(base, 'win-automation') : '~/.local/state/win-automation';
}

function expandHome(path: string, homeDir: string): string {
  return path === '~' || path.startsWith('~/') ? join(homeDir, path.slice(1)) : path;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
