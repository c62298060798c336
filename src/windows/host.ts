import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import * as v from 'valibot';
import { hostConfig, type LoadedConfig } from '../config/load.ts';
import { abortable, Deadline } from '../core/deadline.ts';
import { milliseconds } from '../core/duration.ts';
import { AutomationError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { Capture, type CapturedText } from './capture.ts';
import { type CommandResult, type CommandStreams, runCommand } from './command.ts';
import { connect, type SshConnection } from './connection.ts';
import { parseAnswer } from './powershell/answer.ts';
import { type DefaultShell, type PowershellProgram, startPowershell } from './powershell/command-line.ts';
import { callableScript, composeScript, encodeArgument } from './powershell/compose.ts';
import { type ContractName, contracts, type ScriptInput, type ScriptOutput } from './powershell/contracts.ts';
import { PersistentPowershell } from './powershell/persistent.ts';
import { scripts } from './powershell/scripts.ts';
import { Sftp, SftpSession } from './sftp.ts';
import { markedCommand } from './shells.ts';
import type { SshTarget } from './target.ts';
import { decodeCapture, labelOfCodePage } from './text-encoding.ts';

export interface HostOptions {
  readonly logger: Logger;
  /** Keeps one PowerShell running for all scripts. Worth it for more than one script. */
  readonly isWarm?: boolean;
  /** What sshd's DefaultShell is there (`windows.shell`); `auto` unless told. */
  readonly defaultShell?: DefaultShell;
  /** What output is decoded from (`windows.encoding`); `auto` unless told. */
  readonly encoding?: string;
}

/** What the configuration says of a host besides how to reach it. @throws AutomationError `usage` for an unknown host */
export function hostOptions(loaded: LoadedConfig, name: string): Pick<HostOptions, 'defaultShell' | 'encoding'> {
  const { shell, encoding } = hostConfig(loaded.config, name).windows;
  return { defaultShell: shell, encoding };
}

export interface ScriptOptions {
  readonly signal: AbortSignal;
  /** For the script's standard input; only scripts that read it take any. */
  readonly stdin?: string;
  /** Whether this very script is what ends a run: it is not ended by another one. */
  readonly isStop?: boolean;
}

export interface PowershellOptions {
  readonly program?: PowershellProgram;
  readonly isStop?: boolean;
  /** See `CommandOptions`. */
  readonly drainMs?: number | undefined;
}

const killTimeoutMs = 10_000;
const askTimeoutMs = 10_000;
const sftpTimeoutMs = milliseconds(30_000);

/** One Windows host: a shared connection that is made when it is needed and again when it was lost, and our scripts. */
export class WindowsHost implements AsyncDisposable {
  readonly target: SshTarget;
  readonly logger: Logger;
  readonly #isWarm: boolean;
  readonly #encoding: string;
  #defaultShell: DefaultShell;
  #codePage: Promise<string | undefined> | undefined;
  readonly #closing = new AbortController();
  #connecting: Promise<SshConnection> | undefined;
  #connection: SshConnection | undefined;
  #warm: PersistentPowershell | undefined;
  #coldConnection: SshConnection | undefined;
  #sftp: Promise<SftpSession> | undefined;
  #openSftp: SftpSession | undefined;

  constructor(target: SshTarget, options: HostOptions) {
    this.target = target;
    this.logger = options.logger;
    this.#isWarm = options.isWarm ?? false;
    this.#defaultShell = options.defaultShell ?? 'auto';
    this.#encoding = options.encoding ?? 'auto';
  }

  /**
   * The connection that everything shares. Whoever asks meanwhile waits for the same one, and gives up by its own signal.
   *
   * @throws AutomationError see `connect`
   */
  async connection(signal: AbortSignal): Promise<SshConnection> {
    signal.throwIfAborted();
    if (this.#connection?.isOpen) return this.#connection;
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return abortable(this.#connecting, signal);
  }

  async #connect(): Promise<SshConnection> {
    this.#warm = undefined;
    this.#sftp = undefined;
    this.#connection = await connect(this.target, { logger: this.logger, signal: this.#closing.signal });
    return this.#connection;
  }

  /**
   * SFTP for one piece of work, in the session that everything shares. One that ended or was refused is forgotten.
   *
   * @param signal ends every call that is made on it
   * @throws AutomationError `ssh_channel_refused`, `ssh_connection_lost`, `timeout`, and what `connect` throws
   */
  async sftp(signal: AbortSignal): Promise<Sftp> {
    const connection = await this.connection(signal);
    if (this.#openSftp?.isOpen === false) this.#sftp = undefined;
    this.#sftp ??= this.#beginSftp(connection);
    return new Sftp(await abortable(this.#sftp, signal), signal);
  }

  async #beginSftp(connection: SshConnection): Promise<SftpSession> {
    using deadline = new Deadline(sftpTimeoutMs, 'opening SFTP', this.#closing.signal);
    try {
      this.#openSftp = new SftpSession(await abortable(connection.openSftp(), deadline.signal), connection);
      return this.#openSftp;
    } catch (error) {
      this.#sftp = undefined;
      throw error;
    }
  }

  /** Ends the SFTP session, and with it whatever it is busy with. The next one is opened when it is needed. */
  dropSftp(): void {
    this.#sftp = undefined;
    this.#openSftp?.close();
  }

  /** What sshd's DefaultShell is, as far as it is known; `auto` where it is not. */
  get knownShell(): DefaultShell {
    return this.#defaultShell;
  }

  /** Runs a command line in the host's own shell. See `runCommand`. */
  async command(
    command: string,
    streams: CommandStreams,
    signal: AbortSignal,
    drainMs?: number,
  ): Promise<CommandResult> {
    const { commandLine, marker } = markedCommand(command);
    const connection = await this.connection(signal);
    return runCommand(connection, commandLine, streams, signal, { killTree: () => this.killTree(marker), drainMs });
  }

  /** Runs a text as PowerShell. @param text composed by `compose.ts` */
  async powershell(
    text: string,
    streams: CommandStreams,
    signal: AbortSignal,
    { program = 'powershell', isStop = false, drainMs }: PowershellOptions = {},
  ): Promise<CommandResult> {
    const start = startPowershell(text, `run-${randomUUID()}`, program, this.#defaultShell);
    const connection = await this.connection(signal);
    const killTree = isStop ? undefined : () => this.killTree(start.marker);
    return runCommand(connection, start.commandLine, streams, signal, { input: start.input, killTree, drainMs });
  }

  /** What a command wrote, as text. See `decodeCapture`. @param isPowershell whether PowerShell wrote it, in UTF-8 */
  readText(capture: Capture, isPowershell: boolean): Promise<CapturedText> {
    const label =
      isPowershell && this.#encoding !== 'auto' && capture.read().encoding === 'utf-8' ? 'utf-8' : this.#encoding;
    return decodeCapture(capture, label, () => {
      this.#codePage ??= this.#readCodePage();
      return this.#codePage;
    });
  }

  /** The label of the code page that programs write in there, or undefined where it can't be told. */
  async #readCodePage(): Promise<string | undefined> {
    try {
      const text = await this.#ask('chcp');
      const number = /\b(\d{3,5})\b/.exec(text)?.[1];
      return number === undefined ? undefined : labelOfCodePage(Number(number));
    } catch (error) {
      this.logger.warn('code_page', 'the code page of the host is not known', { err: messageOf(error) });
      return undefined;
    }
  }

  /**
   * What sshd's DefaultShell is: as configured, else found out once.
   *
   * @throws AutomationError `remote_unexpected` where it is none that Windows has, and what `connect` throws
   */
  async defaultShell(): Promise<Exclude<DefaultShell, 'auto'>> {
    if (this.#defaultShell !== 'auto') return this.#defaultShell;
    // cmd.exe knows %OS% and prints the rest as it is; PowerShell prints its edition instead.
    const answer = (await this.#ask('echo %OS%;$PSEdition')).trim();
    const shell = answer.startsWith('Windows_NT') ? 'cmd' : /Desktop$/.test(answer) ? 'powershell' : 'pwsh';
    if (shell === 'pwsh' && !/Core$/.test(answer)) {
      throw new AutomationError('remote_unexpected', `${this.target.name}: its shell is none that Windows has`, {
        hint: 'set windows.shell to cmd, powershell or pwsh',
        fields: { answer: answer.slice(0, 200) },
      });
    }
    this.#defaultShell = shell;
    return shell;
  }

  /** What a short command line prints, in the host's own shell. */
  async #ask(commandLine: string): Promise<string> {
    const [stdout, stderr] = [new Capture(), new Capture()];
    const connection = await this.connection(this.#closing.signal);
    const result = await runCommand(connection, commandLine, { stdout, stderr }, AbortSignal.timeout(askTimeoutMs));
    if (result.status === undefined) throw result.stoppedBy;
    return stdout.bytes().toString('latin1');
  }

  /**
   * Runs one of our scripts and checks what it gives against its contract.
   *
   * @throws AutomationError `script_failed` with the script's own words, `remote_unexpected` if its answer breaks the
   *   contract, and what `connect` throws
   */
  async script<N extends ContractName>(
    name: N,
    input: ScriptInput<N>,
    options: ScriptOptions,
  ): Promise<ScriptOutput<N>> {
    return this.parse(name, await this.#answer(name, v.parse(contracts[name].input, input), options));
  }

  /** Checks what a script printed against its contract. @throws AutomationError `remote_unexpected` */
  parse<N extends ContractName>(name: N, answer: string): ScriptOutput<N> {
    return parseAnswer(name, answer);
  }

  async #answer(name: ContractName, input: unknown, options: ScriptOptions): Promise<string> {
    if (this.#isWarm && options.stdin === undefined && options.isStop !== true) {
      const warm = await this.#warmPowershell(options.signal);
      if (warm !== undefined) return warm.run(callableScript(scripts[name]), encodeArgument(input), options.signal);
    }
    const [stdout, stderr] = [new Capture(), new Capture()];
    const stdin = options.stdin === undefined ? undefined : Readable.from([`${options.stdin}\n`]);
    const result = await this.powershell(
      composeScript(scripts[name], input),
      { stdin, stdout, stderr },
      options.signal,
      { isStop: options.isStop ?? false },
    );
    if (result.status === undefined) throw result.stoppedBy;
    if (result.status.exitCode === 0) return stdout.read().text;
    const words = stderr.read().text.trim();
    throw new AutomationError('script_failed', `${name} failed on ${this.target.name}: ${words || 'it said nothing'}`, {
      fields: { script: name, exit_code: result.status.exitCode },
    });
  }

  /** The PowerShell that stays, or undefined where it can't be had: then every script gets one of its own. */
  async #warmPowershell(signal: AbortSignal): Promise<PersistentPowershell | undefined> {
    const connection = await this.connection(signal);
    if (this.#coldConnection === connection) return undefined;
    if (!this.#warm?.isUsable) this.#warm = PersistentPowershell.start(connection);
    try {
      await abortable(this.#warm.ready, signal);
      return this.#warm;
    } catch (error) {
      signal.throwIfAborted();
      // Not again on this connection: a start that fails may take its whole deadline.
      this.#coldConnection = connection;
      this.logger.warn('powershell', 'no PowerShell that stays; starting one a script', { err: messageOf(error) });
      return undefined;
    }
  }

  /**
   * Ends what a run left on a host without signals: one bounded attempt, with a deadline of its own, since it is made when the
   * run's has passed. Where it fails it is logged that processes may be left.
   */
  async killTree(marker: string): Promise<void> {
    try {
      const signal = AbortSignal.timeout(killTimeoutMs);
      const { killed, found_sshd } = await this.script('killTree', { marker }, { signal, isStop: true });
      this.logger.debug('kill_tree', 'remote processes ended', { killed: killed.join(','), found_sshd });
    } catch (error) {
      this.logger.warn('kill_tree', 'processes of the run may be left on the host: they could not be ended', {
        err: messageOf(error),
      });
    }
  }

  /** Ends the connection, and with it the PowerShell, which sees its standard input end. */
  async close(): Promise<void> {
    this.#closing.abort(new AutomationError('ssh_connection_lost', `the connection to ${this.target.name} was closed`));
    await this.#connecting?.catch(() => undefined);
    await this.#connection?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
