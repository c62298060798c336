import { join } from 'node:path';
import type { LoadedConfig } from '../config/load.ts';
import { hostConfig } from '../config/load.ts';
import type { Milliseconds } from '../core/duration.ts';

/** Everything that reaching one Windows host by SSH takes. Built from the configuration, or by hand in a library. */
export interface SshTarget {
  /** The host's name in the configuration, for logs and payloads. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The one key to use; without it the agent's keys, then `defaultIdentityFiles`. */
  readonly identityFile: string | undefined;
  readonly defaultIdentityFiles: readonly string[];
  readonly agentSocket: string | undefined;
  readonly passphrase: string | undefined;
  readonly password: string | undefined;
  readonly knownHostsFile: string;
  /** Further files of trusted keys that are only read, such as /etc/ssh/ssh_known_hosts. */
  readonly globalKnownHostsFiles: readonly string[];
  readonly hostKeyPolicy: 'accept-new' | 'strict' | 'insecure';
  /** One try at connecting: TCP, handshake and authentication together. */
  readonly connectTimeoutMs: Milliseconds;
  readonly attempts: number;
}

/**
 * The SSH target of one host of the configuration.
 *
 * @throws AutomationError `usage` if the configuration knows no such host
 */
export function sshTarget(loaded: LoadedConfig, name = 'default'): SshTarget {
  const { windows } = hostConfig(loaded.config, name);
  return {
    name,
    host: windows.ssh_host,
    port: windows.ssh_port,
    user: windows.ssh_user,
    identityFile: windows.ssh_identity_file,
    defaultIdentityFiles: ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((file) => join(loaded.homeDir, '.ssh', file)),
    agentSocket: loaded.agentSocket,
    passphrase: loaded.secrets.sshPassphrase,
    password: loaded.secrets.sshPassword,
    knownHostsFile: windows.ssh_known_hosts_file,
    globalKnownHostsFiles: ['/etc/ssh/ssh_known_hosts'],
    hostKeyPolicy: windows.ssh_host_key_policy,
    connectTimeoutMs: loaded.config.timeout,
    attempts: loaded.config.retry.attempts,
  };
}

/** `user@host:port`, for messages. */
export function addressOf({ user, host, port }: Pick<SshTarget, 'user' | 'host' | 'port'>): string {
  return `${user}@${host.includes(':') ? `[${host}]` : host}:${port}`;
}
