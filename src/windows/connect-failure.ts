import type { AnyAuthMethod } from 'ssh2';
import { AutomationError, messageOf, systemCodeOf } from '../core/errors.ts';
import { addressOf, type SshTarget } from './target.ts';

const levelOf = (error: Error): unknown => ('level' in error ? error.level : undefined);

/** An agent that is not there, or won't sign, only means that the next method has its turn. */
export const isAgentFailure = (error: Error): boolean => levelOf(error) === 'agent';

/** Turns what ssh2 says into what the user needs to know. ssh2's errors carry the layer in `level`. */
export function connectFailure(target: SshTarget, error: Error, methods: readonly AnyAuthMethod[]): AutomationError {
  if (levelOf(error) === 'client-authentication') {
    const tried = methods.map((method) => (typeof method === 'string' ? method : method.type)).join(', ');
    return new AutomationError(
      'ssh_authentication_failed',
      `${addressOf(target)} refused to let us in (tried: ${tried})`,
      {
        hint: "check the user name, and that the public key is in C:\\ProgramData\\ssh\\administrators_authorized_keys (or in the user's .ssh\\authorized_keys)",
        fields: { ssh_host: target.host, ssh_port: target.port },
      },
    );
  }
  const code = systemCodeOf(error);
  if (levelOf(error) === 'client-socket' || code !== undefined) return unreachable(target, error, code);
  return handshakeFailure(target, error);
}

function unreachable(target: SshTarget, error: Error, code: string | undefined): AutomationError {
  const isUnknownName = code === 'ENOTFOUND' || code === 'EAI_NONAME';
  return new AutomationError('ssh_unreachable', `${addressOf(target)} can't be reached: ${messageOf(error)}`, {
    hint: isUnknownName
      ? 'check windows.ssh_host'
      : 'is the VM running, its port forwarded, and sshd started (Start-Service sshd)?',
    // A name that does not exist now will not exist in a second.
    isTransient: !isUnknownName,
    fields: { ssh_host: target.host, ssh_port: target.port },
    cause: error,
  });
}

/** The error for a server that answered but came to no session with us. */
export function handshakeFailure(target: SshTarget, error: Error): AutomationError {
  const isMismatch = /no matching|unsupported|invalid/i.test(messageOf(error));
  return new AutomationError('ssh_handshake_failed', `no SSH session with ${addressOf(target)}: ${messageOf(error)}`, {
    hint: isMismatch
      ? 'is it really an SSH server that listens there, and a recent one?'
      : 'the server may be starting, or has too many connections (MaxStartups)',
    isTransient: !isMismatch,
    fields: { ssh_host: target.host, ssh_port: target.port },
    cause: error,
  });
}
