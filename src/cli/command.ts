import type { ArgDef, ArgsDef, CommandDef, ParsedArgs } from 'citty';
import { globalFlags } from './global-flags.ts';
import type { Invocation } from './invocation.ts';

/** A command as citty knows it, with what our help and dispatch add. */
export interface Command extends CommandDef {
  readonly meta: { readonly name: string; readonly description: string; readonly hidden?: boolean };
  /** Command lines to show in the help, without the program's name. */
  readonly examples: readonly string[];
  /** What stands behind `--`, such as `COMMAND…`; without it nothing may. */
  readonly wordsHint?: string;
  readonly subCommands?: Readonly<Record<string, () => Promise<Command>>>;
}

interface CommandSpec<T extends ArgsDef> {
  readonly name: string;
  readonly description: string;
  readonly examples: readonly string[];
  readonly wordsHint?: string;
  readonly isHidden?: boolean;
  readonly args?: T;
  /** @returns the exit code; 0 if nothing is returned */
  readonly run: (invocation: Invocation, args: ParsedArgs<T>) => Promise<number | undefined> | number | undefined;
}

/** A command that does something. The global flags are its own as well. */
export function defineAction<const T extends ArgsDef>(spec: CommandSpec<T>): Command {
  return {
    meta: { name: spec.name, description: spec.description, ...(spec.isHidden ? { hidden: true } : {}) },
    examples: spec.examples,
    ...(spec.wordsHint === undefined ? {} : { wordsHint: spec.wordsHint }),
    args: { ...(spec.args as Record<string, ArgDef> | undefined), ...globalFlags },
    run: ({ args, data }) => spec.run(data as Invocation, args as unknown as ParsedArgs<T>),
  };
}

/** A group of commands, each loaded when it is asked for. */
export function defineGroup(
  name: string,
  description: string,
  subCommands: Readonly<Record<string, () => Promise<{ readonly default: Command }>>>,
): Command {
  const lazy = Object.entries(subCommands).map(([key, load]) => [key, async () => (await load()).default] as const);
  return { meta: { name, description }, examples: [], args: globalFlags, subCommands: Object.fromEntries(lazy) };
}
