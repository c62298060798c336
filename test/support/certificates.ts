import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** A certificate and its key, as paths of PEM files. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority with what it signed: for a server on loopback, for one at `elsewhere.example`, and for a client. */
export interface Certificates {
  readonly ca: string;
  readonly server: KeyPair;
  readonly elsewhere: KeyPair;
  readonly client: KeyPair;
}

const ellipticKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];

/**
 * Makes an authority and its certificates by openssl, which PostgreSQL's package brings along.
 *
 * @param name tells it from others
 */
export function makeCertificates(dir: string, name: string): Certificates {
  const pair = (role: string): KeyPair => ({
    cert: join(dir, `${name}-${role}.pem`),
    key: join(dir, `${name}-${role}.key`),
  });
  const make = (role: string, ...args: readonly string[]) => {
    const { cert, key } = pair(role);
    const argv = ['req', '-x509', ...ellipticKey, '-keyout', key, '-out', cert, '-subj', `/CN=${name}-${role}`];
    execFileSync('openssl', [...argv, ...args], { stdio: 'ignore' });
    return { cert, key };
  };
  const ca = make('ca');
  const signed = ['-CA', ca.cert, '-CAkey', ca.key, '-addext', 'basicConstraints=critical,CA:FALSE'];
  return {
    ca: ca.cert,
    server: make('server', ...signed, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'),
    elsewhere: make('elsewhere', ...signed, '-addext', 'subjectAltName=DNS:elsewhere.example'),
    client: make('client', ...signed),
  };
}
