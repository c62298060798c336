import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { AutomationError, type ErrorCode, messageOf, systemCodeOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import {
  fingerprintOf,
  judgeHostKey,
  type KnownHost,
  keyTypeOf,
  knownHostLine,
  knownHostName,
  parseKnownHosts,
  preferredKeyTypes,
} from './known-hosts.ts';
import { addressOf, type SshTarget } from './target.ts';

/** Answers whether a server's key may be trusted, for one target, by its policy and its known_hosts files. */
export interface HostKeys {
  /** Algorithms to ask for first. Empty where the host is not known yet. */
  readonly preferredTypes: readonly string[];
  /**
   * Returns if the key may be trusted. Synchronous, since under Deno ssh2 loses its way when the answer comes later in
   * the same turn of the event loop.
   *
   * @param key in SSH wire format
   * @throws AutomationError `host_key_changed`, `host_key_revoked`, `host_key_unknown`, `host_key_not_recorded`
   */
  verify(key: Buffer): void;
}

/** Loads the known hosts of a target. A file that does not exist counts as empty. @throws AutomationError `config_invalid` */
export function loadHostKeys(target: SshTarget, logger: Logger): HostKeys {
  if (target.hostKeyPolicy === 'insecure') return insecure(target, logger);
  const files = [target.knownHostsFile, ...target.globalKnownHostsFiles];
  const entries = files.flatMap(readKnownHosts);
  const { host, port } = target;
  return {
    preferredTypes: preferredKeyTypes(entries, host, port),
    verify: (key) => {
      const verdict = judgeHostKey(entries, host, port, key);
      if (verdict.state === 'known') return;
      if (verdict.state === 'revoked') throw revoked(target, key, verdict.entry);
      if (verdict.state === 'changed') throw changed(target, key, verdict.entry);
      if (target.hostKeyPolicy === 'strict') throw unknown(target, key);
      record(target, key);
      entries.push(...parseKnownHosts(knownHostLine(host, port, key), target.knownHostsFile));
      logger.info('verify_host_key', 'new host key recorded', {
        ssh_host: target.host,
        key_type: keyTypeOf(key),
        fingerprint: fingerprintOf(key),
        file: target.knownHostsFile,
      });
    },
  };
}

function insecure(target: SshTarget, logger: Logger): HostKeys {
  return {
    preferredTypes: [],
    verify: (key) => {
      logger.warn('verify_host_key', 'the host key is not checked', {
        ssh_host: target.host,
        fingerprint: fingerprintOf(key),
      });
    },
  };
}

interface ReadFile {
  readonly stamp: string;
  readonly entries: readonly KnownHost[];
}

/** What was read last of each file: the hosts of a fleet share one, which grows with them. */
const readFiles = new Map<string, ReadFile>();

function readKnownHosts(file: string): readonly KnownHost[] {
  try {
    const facts = statSync(file, { throwIfNoEntry: false });
    if (facts === undefined) return [];
    const stamp = `${facts.ino} ${facts.size} ${facts.mtimeMs}`;
    const known = readFiles.get(file);
    if (known?.stamp === stamp) return known.entries;
    const entries = parseKnownHosts(readFileSync(file, 'utf8'), file);
    readFiles.set(file, { stamp, entries });
    return entries;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR') return [];
    throw new AutomationError('config_invalid', `known hosts ${file}: ${messageOf(error)}`);
  }
}

/**
 * Appends a key to the user's file, which `ssh` writes too: by one appending write, not by a rename, since the file is
 * often a link. A key that can't be recorded is not trusted, or every later key would be trusted as well.
 */
function record(target: SshTarget, key: Buffer): void {
  const { knownHostsFile, host, port } = target;
  try {
    mkdirSync(dirname(knownHostsFile), { recursive: true, mode: 0o700 });
    const file = openSync(knownHostsFile, 'a+', 0o600);
    try {
      const { size } = fstatSync(file);
      const last = Buffer.from('\n');
      if (size > 0) readSync(file, last, 0, 1, size - 1);
      writeSync(file, `${last.toString() === '\n' ? '' : '\n'}${knownHostLine(host, port, key)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw refusal(
      'host_key_not_recorded',
      target,
      key,
      `its host key is new and can't be recorded: ${messageOf(error)}`,
      {
        hint: `make ${knownHostsFile} writable, or set windows.ssh_known_hosts_file to a file that is`,
      },
    );
  }
}

function refusal(code: ErrorCode, target: SshTarget, key: Buffer, reason: string, options: { hint: string }) {
  const fingerprint = fingerprintOf(key);
  return new AutomationError(code, `${addressOf(target)}: ${reason} (${keyTypeOf(key)} ${fingerprint})`, {
    ...options,
    fields: { ssh_host: target.host, ssh_port: target.port, fingerprint },
  });
}

const changed = (target: SshTarget, key: Buffer, entry: KnownHost) =>
  refusal(
    'host_key_changed',
    target,
    key,
    `its host key is not the one at ${entry.source}: the machine was reinstalled, or somebody is in between`,
    {
      hint: `if the new key is right, forget the old one: ssh-keygen -R '${knownHostName(target.host, target.port)}' -f ${target.knownHostsFile}`,
    },
  );

const revoked = (target: SshTarget, key: Buffer, entry: KnownHost) =>
  refusal('host_key_revoked', target, key, `its host key is marked @revoked at ${entry.source}`, {
    hint: 'give the host a new key; a revoked one must never be used again',
  });

const unknown = (target: SshTarget, key: Buffer) =>
  refusal('host_key_unknown', target, key, 'its host key is not known, and the policy is strict', {
    hint: `compare the fingerprint on the host, then add the key to ${target.knownHostsFile} or use the policy accept-new`,
  });
