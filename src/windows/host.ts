import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import * as v from 'valibot';
import { abortable } from '../core/deadline.ts';
import { AutomationError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { Capture } from './capture.ts';
import { type CommandResult, type CommandStreams, runCommand } from './command.ts';
import { connect, type SshConnection } from './connection.ts';
import { decodeClixml } from './powershell/clixml.ts';
import {
  callableScript,
  composeScript,
  encodeArgument,
  encodedCommandLine,
  fileCommandLine,
  maxCommandLine,
  type PowershellProgram,
  scriptFileBytes,
} from './powershell/compose.ts';
import { type ContractName, contracts, type ScriptInput, type ScriptOutput } from './powershell/contracts.ts';
import { PersistentPowershell } from './powershell/persistent.ts';
import { scripts } from './powershell/scripts.ts';
import { Sftp } from './sftp.ts';
import type { SshTarget } from './target.ts';

export interface HostOptions {
  readonly logger: Logger;
  /** Keeps one PowerShell running for all scripts. Worth it for more than one script. */
  readonly isWarm?: boolean;
}

export interface ScriptOptions {
  readonly signal: AbortSignal;
  /** For the script's standard input; only scripts that read it take any. */
  readonly stdin?: string;
}

/** One Windows host: a shared connection that is made when it is needed and again when it was lost, and our scripts. */
export class WindowsHost implements AsyncDisposable {
  readonly target: SshTarget;
  readonly logger: Logger;
  readonly #isWarm: boolean;
  readonly #closing = new AbortController();
  #connecting: Promise<SshConnection> | undefined;
  #connection: SshConnection | undefined;
  #warm: PersistentPowershell | undefined;
  #coldConnection: SshConnection | undefined;
  #sftp: Promise<Sftp> | undefined;

  constructor(target: SshTarget, options: HostOptions) {
    this.target = target;
    this.logger = options.logger;
    this.#isWarm = options.isWarm ?? false;
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

  /** The SFTP session that everything shares. */
  async sftp(signal: AbortSignal): Promise<Sftp> {
    const connection = await this.connection(signal);
    this.#sftp ??= connection.openSftp().then((wrapper) => new Sftp(wrapper, connection));
    return abortable(this.#sftp, signal);
  }

  /** Ends the SFTP session, and with it whatever it is busy with. The next one is opened when it is needed. */
  async dropSftp(): Promise<void> {
    const sftp = await this.#sftp?.catch(() => undefined);
    this.#sftp = undefined;
    sftp?.close();
  }

  /** Runs a command line in the host's own shell. See `runCommand`. */
  async command(
    commandLine: string,
    streams: CommandStreams,
    signal: AbortSignal,
    marker?: string,
  ): Promise<CommandResult> {
    const connection = await this.connection(signal);
    return runCommand(connection, commandLine, streams, signal, () => this.killTree(marker ?? commandLine));
  }

  /**
   * Runs a text as PowerShell: on the command line where it fits, else from a file that is removed again.
   *
   * @param text composed by `powershell.ts`
   */
  async powershell(
    text: string,
    streams: CommandStreams,
    signal: AbortSignal,
    program: PowershellProgram = 'powershell',
  ): Promise<CommandResult> {
    const commandLine = encodedCommandLine(text, program);
    if (commandLine.length <= maxCommandLine) return this.command(commandLine, streams, signal);
    const sftp = await this.sftp(signal);
    // Relative to the home folder, where both SFTP and commands begin: no drive, no spaces, nothing to quote.
    const name = `.win-automation-${randomUUID()}.ps1`;
    await sftp.writeFile(name, scriptFileBytes(text), signal);
    try {
      return await this.command(fileCommandLine(name, program), streams, signal);
    } finally {
      await sftp.remove(name).catch((error: unknown) => {
        this.logger.warn('powershell', 'an uploaded script could not be removed', {
          file: name,
          err: messageOf(error),
        });
      });
    }
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
    return parseAnswer(name, answer) as ScriptOutput<N>;
  }

  async #answer(name: ContractName, input: unknown, options: ScriptOptions): Promise<string> {
    if (this.#isWarm && options.stdin === undefined) {
      const warm = await this.#warmPowershell(options.signal);
      if (warm !== undefined) return warm.run(callableScript(scripts[name]), encodeArgument(input), options.signal);
    }
    const [stdout, stderr] = [new Capture(), new Capture()];
    const stdin = options.stdin === undefined ? undefined : Readable.from([`${options.stdin}\n`]);
    const result = await this.powershell(
      composeScript(scripts[name], input),
      { stdin, stdout, stderr },
      options.signal,
    );
    if (result.status === undefined) throw result.stoppedBy;
    if (result.status.exitCode === 0) return stdout.read().text;
    const words = decodeClixml(stderr.read().text).trim();
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

  /** Ends what a run left on a host without signals. Its own deadline, since it runs when the run's has passed. */
  async killTree(marker: string): Promise<void> {
    const { killed, found_sshd } = await this.script('killTree', { marker }, { signal: AbortSignal.timeout(10_000) });
    this.logger.debug('kill_tree', 'remote processes ended', { killed: killed.join(','), found_sshd });
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

function parseAnswer(name: ContractName, answer: string): unknown {
  const refuse = (reason: string) =>
    new AutomationError('remote_unexpected', `${name} gave no answer that makes sense: ${reason}`, {
      hint: 'is powershell on that host Windows PowerShell 5.1 or newer, and does its profile or policy print anything?',
      fields: { script: name, answer: answer.slice(0, 200) },
    });
  let document: unknown;
  try {
    document = JSON.parse(answer.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw refuse(messageOf(error));
  }
  const parsed = v.safeParse(contracts[name].output, document);
  if (parsed.success) return parsed.output;
  throw refuse(parsed.issues.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`).join('; '));
}
