import { Socket } from 'node:net';
import type { AnyAuthMethod, Client, ClientChannel, SFTPWrapper } from 'ssh2';
import ssh2 from 'ssh2';
import { Deadline, isTimeout } from '../core/deadline.ts';
import { AutomationError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { retry } from '../core/retry.ts';
import { authenticationMethods } from './authentication.ts';
import { connectFailure, handshakeFailure, isAgentFailure } from './connect-failure.ts';
import { type CommandEnd, commandEndOf } from './exit-status.ts';
import { type HostKeys, loadHostKeys } from './host-keys.ts';
import { addressOf, type SshTarget } from './target.ts';
import { writeTogether } from './write-together.ts';

const keepaliveIntervalMs = 15_000;
const keepaliveCountMax = 3;
const closeGraceMs = 1_000;

/** aes128-gcm was measured fastest; ssh2 would begin with chacha20-poly1305 on some machines. */
const firstCiphers = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com'] as const;

export interface ConnectOptions {
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** A command that was started. */
export interface OpenCommand extends CommandEnd {
  readonly channel: ClientChannel;
}

/** One authenticated SSH connection. Everything a process does on a host goes through one of these. */
export class SshConnection {
  readonly target: SshTarget;
  readonly #client: Client;
  #lostBecause: Error | undefined;
  #isOpen = true;

  constructor(target: SshTarget, client: Client, logger: Logger) {
    this.target = target;
    this.#client = client;
    client.on('error', (error) => {
      this.#lostBecause ??= error;
      logger.debug('connection', 'connection failed', { err: messageOf(error) });
    });
    client.on('close', () => {
      this.#isOpen = false;
    });
  }

  /** False once the connection has ended, for whatever reason. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Starts a command line in the host's own shell.
   *
   * @throws AutomationError `ssh_connection_lost`, `ssh_channel_refused`
   */
  openCommand(commandLine: string): Promise<OpenCommand> {
    return new Promise((resolve, reject) => {
      const onClose = () => reject(this.lost('while a command was being started'));
      this.#client.once('close', onClose);
      const onOpened = (error: Error | undefined, channel: ClientChannel) => {
        this.#client.off('close', onClose);
        if (error === undefined) {
          resolve({ channel, ...commandEndOf(channel, () => this.lost('before the command told its exit code')) });
        } else reject(this.#isOpen ? this.#refused(error) : this.lost('before a command was started'));
      };
      try {
        this.#client.exec(commandLine, onOpened);
      } catch {
        onOpened(new Error('Not connected'), undefined as never);
      }
    });
  }

  /**
   * Opens an SFTP session.
   *
   * @throws AutomationError `ssh_connection_lost`, `ssh_channel_refused`
   */
  openSftp(): Promise<SFTPWrapper> {
    return this.#open('SFTP', (done) => this.#client.sftp(done));
  }

  /**
   * Opens a channel that a subsystem of the server answers (RFC 4254, section 6.5).
   *
   * @throws AutomationError `ssh_connection_lost`, `ssh_channel_refused`
   */
  async openSubsystem(name: string): Promise<ClientChannel> {
    const channel = await this.#open<ClientChannel>(name, (done) => this.#client.subsys(name, done));
    // What nobody reads fills the channel's window.
    channel.stderr.resume();
    return channel;
  }

  /**
   * Opens a TCP connection from the far side (RFC 4254, section 7.2).
   *
   * @throws AutomationError `ssh_connection_lost`, `ssh_channel_refused` (nobody listens there)
   */
  openStream(host: string, port: number): Promise<ClientChannel> {
    return this.#open(`${host}:${port}`, (done) => this.#client.forwardOut('127.0.0.1', 0, host, port, done));
  }

  #open<T>(what: string, start: (done: (error: Error | undefined, opened: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const onClose = () => reject(this.lost(`while ${what} was being opened`));
      this.#client.once('close', onClose);
      const onOpened = (error: Error | undefined | null, opened: T) => {
        this.#client.off('close', onClose);
        if (error === undefined || error === null) resolve(opened);
        else reject(this.#isOpen ? this.#refused(error) : this.lost(`before ${what} was opened`));
      };
      try {
        start(onOpened);
      } catch {
        reject(this.lost(`before ${what} was opened`));
      }
    });
  }

  /** Whether the server calls itself Windows OpenSSH, which knows no signals. */
  get isWindows(): boolean {
    return this.#software.includes('Windows');
  }

  /** Whether the server calls itself OpenSSH, for Windows or not. */
  get isOpenSsh(): boolean {
    return this.#software.startsWith('OpenSSH');
  }

  get #software(): string {
    const { _remoteVer: software } = this.#client as unknown as { readonly _remoteVer?: string };
    return software ?? '';
  }

  /** The error that says that this connection has gone. @param when completes the sentence "… was lost …" */
  lost(when: string): AutomationError {
    const reason = this.#lostBecause === undefined ? '' : `: ${messageOf(this.#lostBecause)}`;
    return new AutomationError(
      'ssh_connection_lost',
      `the connection to ${addressOf(this.target)} was lost ${when}${reason}`,
      {
        hint: 'a command that was running may have gone on, ended, or never begun: look before you run it again',
        fields: { ssh_host: this.target.host, ssh_port: this.target.port },
      },
    );
  }

  /** Ends the connection; what the server doesn't answer within a second is cut. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    const closed = new Promise<void>((resolve) => this.#client.once('close', () => resolve()));
    this.#client.end();
    const cut = setTimeout(() => this.#client.destroy(), closeGraceMs);
    await closed;
    clearTimeout(cut);
  }

  #refused(error: Error): AutomationError {
    const message = `${addressOf(this.target)} refused a channel: ${messageOf(error)}`;
    return new AutomationError('ssh_channel_refused', message, {
      hint: "sshd's MaxSessions may be reached, or ForceCommand may forbid commands",
    });
  }
}

/**
 * Connects and authenticates. What may succeed a moment later (refused, reset, unreachable, timed out) is tried again
 * with the waits of `core/retry.ts`; a refused key or host key never is.
 *
 * @throws AutomationError `ssh_unreachable`, `ssh_handshake_failed`, `ssh_authentication_failed`, `host_key_*`, `timeout`,
 *   `config_invalid`
 */
export async function connect(target: SshTarget, options: ConnectOptions): Promise<SshConnection> {
  const { logger, signal } = options;
  const methods = await authenticationMethods(target, logger);
  const hostKeys = loadHostKeys(target, logger);
  const where = { ssh_host: target.host, ssh_port: target.port };
  return retry((attempt) => connectOnce(target, methods, hostKeys, attempt, options), {
    attempts: target.attempts,
    signal,
    isRetryable: (error) => isTimeout(error) || (error instanceof AutomationError && error.isTransient),
    onRetry: ({ error, attempt, waitMs }) => {
      logger.warn('connect', 'trying again', { ...where, attempt, wait_ms: waitMs, err: messageOf(error) });
    },
  });
}

async function connectOnce(
  target: SshTarget,
  methods: readonly AnyAuthMethod[],
  hostKeys: HostKeys,
  attempt: number,
  { logger, signal }: ConnectOptions,
): Promise<SshConnection> {
  const client = new ssh2.Client();
  const socket = new Socket();
  using deadline = new Deadline(target.connectTimeoutMs, `connecting to ${addressOf(target)}`, signal);
  const startedMs = performance.now();
  let keyError: unknown;
  await new Promise<void>((resolve, reject) => {
    const fail = (error: unknown) => {
      reject(keyError ?? error);
      client.destroy();
    };
    const onAbort = () => fail(deadline.signal.reason);
    deadline.signal.addEventListener('abort', onAbort, { once: true });
    client.once('ready', () => {
      // From here on the signal ends what runs on the connection, not the connection.
      deadline.signal.removeEventListener('abort', onAbort);
      resolve();
    });
    client.once('close', () => fail(handshakeFailure(target, new Error('the server closed the connection'))));
    client.on('error', (error) => {
      if (isAgentFailure(error)) {
        logger.warn('authenticate', 'the agent gives no key', { err: messageOf(error) });
      } else fail(connectFailure(target, error, methods));
    });
    socket.once('connect', () => writeTogether(socket));
    socket.connect(target.port, target.host);
    client.connect({
      sock: socket,
      username: target.user,
      authHandler: [...methods],
      // The whole try has one deadline, above.
      readyTimeout: 0,
      keepaliveInterval: keepaliveIntervalMs,
      keepaliveCountMax,
      algorithms: {
        cipher: { prepend: [...firstCiphers], append: [], remove: [] },
        serverHostKey: { prepend: [...hostKeys.preferredTypes] as never[], append: [], remove: [] },
      },
      hostVerifier: (key: Buffer) => {
        try {
          hostKeys.verify(key);
          return true;
        } catch (error) {
          keyError = error;
          return false;
        }
      },
    });
  });
  client.removeAllListeners();
  const durationMs = Math.round(performance.now() - startedMs);
  logger.debug('connect', 'connected', {
    ssh_host: target.host,
    ssh_port: target.port,
    attempt,
    duration_ms: durationMs,
  });
  return new SshConnection(target, client, logger);
}
