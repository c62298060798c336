import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** One line of a known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). */
export interface KnownHost {
  readonly marker: 'revoked' | 'cert-authority' | undefined;
  /** Comma-separated patterns, or one hashed name. */
  readonly hosts: string;
  readonly keyType: string;
  /** The key in base64. */
  readonly key: string;
  /** `file:line`, for messages. */
  readonly source: string;
}

/** What the known hosts say of a key that a server showed. */
export type HostKeyVerdict =
  | { readonly state: 'known' }
  | { readonly state: 'unknown' }
  | { readonly state: 'revoked'; readonly entry: KnownHost }
  | { readonly state: 'changed'; readonly entry: KnownHost };

/** Reads the text of a known_hosts file. Lines that make no sense are passed over, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  const entries: KnownHost[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const words = line.trim().split(/[ \t]+/);
    const first = words[0] ?? '';
    if (first === '' || first.startsWith('#')) continue;
    const marker = first === '@revoked' ? 'revoked' : first === '@cert-authority' ? 'cert-authority' : undefined;
    if (first.startsWith('@') && marker === undefined) continue;
    const [hosts, keyType, key] = marker === undefined ? words : words.slice(1);
    if (hosts === undefined || keyType === undefined || key === undefined) continue;
    entries.push({ marker, hosts, keyType, key, source: `${file}:${index + 1}` });
  }
  return entries;
}

/** The name under which a host stands in known_hosts: `[host]:port`, or the host alone on port 22. */
export function knownHostName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

/** Whether the `hosts` field of an entry means the given name: a hash, or patterns with `*`, `?` and `!`. */
export function matchesHost(hosts: string, name: string): boolean {
  if (hosts.startsWith('|1|')) return matchesHash(hosts, name);
  let isMatch = false;
  for (const pattern of hosts.toLowerCase().split(',')) {
    const isNegated = pattern.startsWith('!');
    if (!matchesPattern(isNegated ? pattern.slice(1) : pattern, name)) continue;
    if (isNegated) return false;
    isMatch = true;
  }
  return isMatch;
}

/** `|1|<salt>|<HMAC-SHA1 of the name>`, both in base64. */
function matchesHash(hosts: string, name: string): boolean {
  const [, , salt = '', hash = ''] = hosts.split('|');
  const expected = Buffer.from(hash, 'base64');
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function matchesPattern(pattern: string, name: string): boolean {
  if (pattern === '') return false;
  if (!/[*?]/.test(pattern)) return pattern === name;
  const source = pattern
    .replace(/[^*?]+/g, (literal) => RegExp.escape(literal))
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`).test(name);
}

/** The entries that mean a host. @param port the TCP port: 22 stands under the bare name */
function entriesFor(entries: readonly KnownHost[], host: string, port: number): KnownHost[] {
  const name = knownHostName(host, port);
  return entries.filter((entry) => entry.marker !== 'cert-authority' && matchesHost(entry.hosts, name));
}

/**
 * Judges a server's key. A host that is known by keys of other types only counts as changed: an honest server was
 * asked for the known types first (see `preferredKeyTypes`), so it no longer has them.
 *
 * @param key the key in SSH wire format
 */
export function judgeHostKey(entries: readonly KnownHost[], host: string, port: number, key: Buffer): HostKeyVerdict {
  const shown = key.toString('base64');
  const mine = entriesFor(entries, host, port);
  const revoked = mine.find((entry) => entry.marker === 'revoked' && entry.key === shown);
  if (revoked !== undefined) return { state: 'revoked', entry: revoked };
  const trusted = mine.filter((entry) => entry.marker === undefined);
  if (trusted.some((entry) => entry.key === shown)) return { state: 'known' };
  const [first] = trusted;
  return first === undefined ? { state: 'unknown' } : { state: 'changed', entry: first };
}

/** The host key algorithms to ask for first, because their keys are known. */
export function preferredKeyTypes(entries: readonly KnownHost[], host: string, port: number): string[] {
  const types = entriesFor(entries, host, port)
    .filter((entry) => entry.marker === undefined)
    // One RSA key answers to three algorithms (RFC 8332).
    .flatMap(({ keyType }) => (keyType === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'] : [keyType]));
  return [...new Set(types)];
}

/** The type of a key in SSH wire format (RFC 4253, section 6.6), such as `ssh-ed25519`. */
export function keyTypeOf(key: Buffer): string {
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
}

/** `SHA256:…` as `ssh-keygen -l` prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** A line for a known_hosts file, without its newline. */
export function knownHostLine(host: string, port: number, key: Buffer): string {
  return `${knownHostName(host, port)} ${keyTypeOf(key)} ${key.toString('base64')}`;
}
