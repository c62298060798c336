import { isIP } from 'node:net';
import type { ClientConfig } from '@hatchet-dev/typescript-sdk/clients/hatchet-client/client-config.js';
import { readSmallFile } from '../config/file.ts';
import type { Config } from '../config/sections.ts';
import { AutomationError } from '../core/errors.ts';

/**
 * Who Hatchet's certificates are trusted by, for gRPC and for https:// alike.
 *
 * @returns PEM; undefined where it is whom the system trusts
 * @throws AutomationError `config_invalid` if `hatchet.tls_ca_file` can't be read
 */
export const trustedBy = ({ hatchet }: Config): string | undefined =>
  hatchet.tls_ca_file === undefined ? undefined : readSmallFile(hatchet.tls_ca_file, 'hatchet.tls_ca_file');

/**
 * How the SDK encrypts gRPC. Settings are looked at before the SDK takes them: it would tell of a missing file as if Hatchet
 * were away, and go on without a certificate where mtls has none. The file of authorities is looked at by `trustedBy`.
 *
 * @throws AutomationError `config_invalid` naming the setting
 */
export function tlsConfigOf(config: Config): ClientConfig['tls_config'] {
  const { tls_strategy, tls_ca_file, tls_cert_file, tls_key_file, tls_server_name } = config.hatchet;
  if (tls_strategy === 'none') return { tls_strategy };
  if (tls_strategy === 'mtls') {
    requireFile('hatchet.tls_cert_file', tls_cert_file);
    requireFile('hatchet.tls_key_file', tls_key_file);
  }
  requireName(config);
  return {
    tls_strategy,
    ...(tls_ca_file === undefined ? {} : { ca_file: tls_ca_file }),
    ...(tls_cert_file === undefined ? {} : { cert_file: tls_cert_file }),
    ...(tls_key_file === undefined ? {} : { key_file: tls_key_file }),
    ...(tls_server_name === undefined ? {} : { server_name: tls_server_name }),
  };
}

/** TLS asks for a server by its name, which an IP address is not (RFC 6066, section 3). */
function requireName({ hatchet }: Config): void {
  const { grpc_address, tls_server_name } = hatchet;
  const host = grpc_address.slice(0, grpc_address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  const name = tls_server_name ?? host;
  if (isIP(name) === 0) return;
  const key = tls_server_name === undefined ? 'grpc_address' : 'tls_server_name';
  throw new AutomationError('config_invalid', `hatchet.${key}: TLS needs a name, and ${name} is an IP address`, {
    hint: "set hatchet.tls_server_name to a name that the server's certificate holds",
  });
}

function requireFile(key: string, path: string | undefined): void {
  if (path === undefined) throw new AutomationError('config_invalid', `${key}: mtls needs it`);
  readSmallFile(path, key);
}
