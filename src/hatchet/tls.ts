import { readFileSync } from 'node:fs';
import type { Config } from '../config/sections.ts';
import { AutomationError, messageOf } from '../core/errors.ts';

/**
 * Who Hatchet's certificates are trusted by, for gRPC and for https:// alike.
 *
 * @returns PEM; undefined where it is whom the system trusts
 * @throws AutomationError `config_invalid` if `hatchet.tls_ca_file` can't be read
 */
export const trustedBy = ({ hatchet }: Config): string | undefined =>
  hatchet.tls_ca_file === undefined ? undefined : readPem('hatchet.tls_ca_file', hatchet.tls_ca_file);

/**
 * Looks at the files of TLS before the SDK does, which would tell of a missing one as if Hatchet were away, and would go
 * without a certificate where mtls has none.
 *
 * @throws AutomationError `config_invalid` naming the setting
 */
export function requireTlsFiles({ hatchet }: Config): void {
  if (hatchet.tls_strategy !== 'mtls') return;
  for (const [key, path] of [
    ['hatchet.tls_cert_file', hatchet.tls_cert_file],
    ['hatchet.tls_key_file', hatchet.tls_key_file],
  ] as const) {
    if (path === undefined) {
      throw new AutomationError('config_invalid', `${key}: mtls needs it`, {
        hint: 'set hatchet.tls_cert_file and hatchet.tls_key_file, or hatchet.tls_strategy to tls',
      });
    }
    readPem(key, path);
  }
}

function readPem(key: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new AutomationError('config_invalid', `${key}: ${messageOf(error)}`, { cause: error });
  }
}
