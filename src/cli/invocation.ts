import process from 'node:process';
import type { Environment, LoadedConfig } from '../config/load.ts';
import { hostConfig, loadConfig } from '../config/load.ts';
import { AutomationError } from '../core/errors.ts';
import { createLogger, type Logger, type LogLevel } from '../core/logger.ts';
import type { Redact } from '../core/redact.ts';
import { createOutput, type Output } from './output.ts';

export interface GlobalFlags {
  readonly config?: string | undefined;
  readonly host?: string | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  /** May be turned on by a command's own flag. */
  verbose?: boolean | undefined;
}

/** What a command works with once the configuration is known. */
export interface Session {
  readonly loaded: LoadedConfig;
  readonly logger: Logger;
  /** The host that `--host` names, or `default`. */
  readonly host: string;
}

/** One run of the program: its flags, its streams, its signal, and, on demand, its configuration. */
export interface Invocation {
  /** Such as `windows.exec`: the `op` of its log lines. */
  readonly op: string;
  readonly flags: GlobalFlags;
  /** The command's own words and flags, as they were written. */
  readonly args: readonly string[];
  /** What stands behind `--`. */
  readonly words: readonly string[];
  readonly env: Environment;
  readonly output: Output;
  /** Aborted by SIGINT and SIGTERM; its reason is an `AutomationError`. */
  readonly signal: AbortSignal;
  /** Loads the configuration. @throws ProblemsError `config_invalid`; AutomationError `usage` for an unknown host */
  open(): Promise<Session>;
  /** Under `--all-hosts`: this host is done with, and the next one may begin, though something is still to be written. */
  readonly endTurn?: () => void;
  /** A logger for what happens before, or instead of, `open`. It knows the secrets once there are any. */
  readonly logger: () => Logger;
}

/** Makes the invocation of one command line. */
export function createInvocation(
  path: readonly string[],
  flags: GlobalFlags,
  args: readonly string[] = [],
  words: readonly string[] = [],
): Invocation {
  let redact: Redact = (text) => text;
  let configuredLevel: LogLevel = 'info';
  const level = (): LogLevel => (flags.quiet ? 'error' : flags.verbose ? 'debug' : configuredLevel);
  const write = (line: string) => process.stderr.write(line);
  const logger = () => createLogger({ level: level(), redact: (text) => redact(text), write, component: 'cli' });
  return {
    op: path.slice(1).join('.') || 'main',
    flags,
    args,
    words,
    env: process.env,
    output: createOutput(process.stdout, flags.json ?? false, process.env),
    signal: interruption(),
    logger,
    open: async () => {
      const loaded = await loadConfig({ file: flags.config, env: process.env });
      redact = loaded.redact;
      configuredLevel = loaded.config.log_level;
      const host = flags.host ?? 'default';
      hostConfig(loaded.config, host);
      const opened = logger();
      for (const warning of loaded.warnings) opened.child('config').warn('load', warning);
      return { loaded, logger: opened, host };
    },
  };
}

const signals = { SIGINT: 'interrupted', SIGTERM: 'terminated' } as const;

/** The first SIGINT or SIGTERM asks everything to end; a second one ends the process at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const [name, code] of Object.entries(signals)) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143);
      controller.abort(new AutomationError(code, `${code} by ${name}`));
    });
  }
  return controller.signal;
}
