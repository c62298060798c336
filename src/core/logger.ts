import { type ConsolaInstance, createConsola } from 'consola/core';
import type { Scalar } from './errors.ts';
import type { Redact } from './redact.ts';
import { encodeWords } from './words.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFields = Readonly<Record<string, Scalar>>;

const consolaLevel: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 3, debug: 4 };

/** What a service logs by. `component` is fixed, `op` names the operation. */
export interface Logger {
  debug(op: string, msg: string, fields?: LogFields): void;
  info(op: string, msg: string, fields?: LogFields): void;
  warn(op: string, msg: string, fields?: LogFields): void;
  error(op: string, msg: string, fields?: LogFields): void;
  /** The same sink for another component, with fields that go along on every line. */
  child(component: string, fields?: LogFields): Logger;
}

export interface LogEvent {
  readonly date: Date;
  readonly level: LogLevel;
  readonly component: string;
  readonly op: string;
  readonly msg: string;
  readonly fields: LogFields;
}

/**
 * Writes one event as one line of printable ASCII without its newline (context.md, "Logging Schema"): `ts level
 * component op msg` first and in that order. Secrets are replaced in every value before it is encoded; a field can't
 * take the name of a required key.
 */
export function encodeLogLine(event: LogEvent, redact: Redact): string {
  const required: Record<string, Scalar> = {
    ts: event.date.toISOString(),
    level: event.level,
    component: event.component,
    op: event.op,
    msg: redact(event.msg),
  };
  const context: [string, Scalar][] = Object.entries(event.fields)
    .filter(([key]) => !(key in required))
    .map(([key, value]) => [key, typeof value === 'string' ? redact(value) : value]);
  return encodeWords({ ...required, ...Object.fromEntries(context) });
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly redact: Redact;
  /** Takes one line, newline included. */
  readonly write: (line: string) => void;
  readonly component: string;
  readonly now?: () => Date;
}

/** One a level, made when it is first needed: a worker makes two loggers for every job. */
const fronts = new Map<LogLevel, ConsolaInstance>();

function frontOf(level: LogLevel): ConsolaInstance {
  const made =
    fronts.get(level) ??
    createConsola({
      level: consolaLevel[level],
      // consola folds repeated lines into one; a log that counts events must not.
      throttle: 0,
      reporters: [
        {
          log: ({ args }) => {
            for (const { event, redact, write } of args as Entry[]) write(`${encodeLogLine(event, redact)}\n`);
          },
        },
      ],
    });
  fronts.set(level, made);
  return made;
}

interface Entry extends Pick<LoggerOptions, 'redact' | 'write'> {
  readonly event: LogEvent;
}

/** A logger whose front is consola and whose back is `encodeLogLine`. Lines below `level` are dropped. */
export function createLogger(options: LoggerOptions): Logger {
  const { redact, write, now = () => new Date() } = options;
  const front = frontOf(options.level);
  const make = (component: string, inherited: LogFields): Logger => {
    const at =
      (level: LogLevel) =>
      (op: string, msg: string, fields: LogFields = {}) => {
        // consola would drop it too, but only after all of it was made.
        if (consolaLevel[level] > consolaLevel[options.level]) return;
        // `.raw` hands the event over as it is: consola would take an object with a `message` apart.
        const event = { date: now(), level, component, op, msg, fields: { ...inherited, ...fields } };
        front[level].raw({ event, redact, write } satisfies Entry);
      };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (name, fields = {}) => make(name, { ...inherited, ...fields }),
    };
  };
  return make(options.component, {});
}
