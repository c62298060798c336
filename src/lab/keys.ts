import type { ParsedKey } from 'ssh2';
import ssh2 from 'ssh2';

export interface KeyPair {
  readonly private: string;
  readonly public: string;
  readonly parsed: ParsedKey;
}

/**
 * Makes an Ed25519 key pair in OpenSSH's form.
 *
 * One in some hundred that ssh2 1.17.0 writes it can't read again (it drops a leading zero byte), so that they are tried.
 */
export function makeKeyPair(comment = ''): KeyPair {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
    const parsed = ssh2.utils.parseKey(pair.private);
    if (!(parsed instanceof Error)) return { ...pair, parsed };
  }
}
