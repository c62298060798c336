import { readFile } from 'node:fs/promises';
import type { AnyAuthMethod, ParsedKey } from 'ssh2';
import ssh2 from 'ssh2';
import { readSmallFile } from '../config/file.ts';
import { ProblemsError, systemCodeOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { SshTarget } from './target.ts';

/**
 * The ways to authenticate in the order in which they are tried: the configured key, or else the agent's keys and the
 * default files; then the password, also as the answer to one hidden prompt (keyboard-interactive, RFC 4256).
 *
 * @throws ProblemsError `config_invalid` if the configured key can't be read or used, before anything is connected
 */
export async function authenticationMethods(target: SshTarget, logger: Logger): Promise<AnyAuthMethod[]> {
  const { user: username, identityFile, agentSocket, password } = target;
  const methods: AnyAuthMethod[] = [];
  if (identityFile !== undefined) {
    const text = readSmallFile(identityFile, 'windows.ssh_identity_file');
    methods.push({ type: 'publickey', username, key: openKey(text, identityFile, target.passphrase) });
  } else {
    if (agentSocket !== undefined) methods.push({ type: 'agent', username, agent: agentSocket });
    for (const path of target.defaultIdentityFiles) {
      const key = await openDefaultKey(path, target.passphrase, logger);
      if (key !== undefined) methods.push({ type: 'publickey', username, key });
    }
  }
  if (password !== undefined) {
    methods.push({ type: 'password', username, password }, answerPromptsWith(password, username));
  }
  if (methods.length > 0) return methods;
  throw new ProblemsError('config_invalid', ['windows: there is nothing to authenticate with'], {
    hint: 'set windows.ssh_identity_file, start an agent (SSH_AUTH_SOCK), or set WIN_AUTOMATION_WINDOWS_SSH_PASSWORD_FILE',
  });
}

interface OpenedKey {
  readonly text: string;
  readonly passphrase: string | undefined;
  readonly key: ParsedKey;
}

/** By path. The hosts of a fleet share a key, and an encrypted one takes a tenth of a second to open. */
const openedKeys = new Map<string, OpenedKey>();

function openKey(text: string, path: string, passphrase: string | undefined): ParsedKey {
  const opened = openedKeys.get(path);
  if (opened?.text === text && opened.passphrase === passphrase) return opened.key;
  const key = parsePrivateKey(text, path, passphrase);
  openedKeys.set(path, { text, passphrase, key });
  return key;
}

function parsePrivateKey(text: string, path: string, passphrase: string | undefined): ParsedKey {
  const refuse = (reason: string, hint?: string) =>
    new ProblemsError('config_invalid', [`windows.ssh_identity_file ${path}: ${reason}`], hint ? { hint } : {});
  const parsed = ssh2.utils.parseKey(text, passphrase);
  // The type says otherwise, but a file may hold several keys.
  const key: ParsedKey | Error | undefined = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error || key === undefined) {
    const reason = key?.message ?? 'no key in it';
    if (/no passphrase given/i.test(reason)) {
      throw refuse(
        'the key is encrypted',
        'set WIN_AUTOMATION_WINDOWS_SSH_PASSPHRASE_FILE, or add the key to an agent',
      );
    }
    if (/bad passphrase|integrity check failed|bad decrypt/i.test(reason))
      throw refuse('the passphrase does not open it');
    throw refuse(`not a private key (${reason})`);
  }
  if (!key.isPrivateKey()) throw refuse('it is a public key; name the private one beside it');
  return key;
}

/** A default key that is missing, encrypted or of an unknown kind is passed over, as `ssh` does. */
async function openDefaultKey(path: string, passphrase: string | undefined, logger: Logger) {
  try {
    return openKey(await readFile(path, 'utf8'), path, passphrase);
  } catch (error) {
    if (error instanceof ProblemsError) logger.debug('authenticate', 'default key passed over', { err: error.message });
    else if (systemCodeOf(error) !== 'ENOENT') logger.warn('authenticate', 'default key unreadable', { path });
    return undefined;
  }
}

function answerPromptsWith(password: string, username: string): AnyAuthMethod {
  return {
    type: 'keyboard-interactive',
    username,
    prompt: (_name, _instructions, _language, prompts, finish) => {
      // Only a hidden prompt asks for a password; anything else gets an empty answer.
      finish(prompts.map(({ echo }) => (echo === true ? '' : password)));
    },
  };
}
