import { parseArgs } from 'node:util';
import type { ArgDef } from 'citty';
import { ProblemsError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import type { Command } from './command.ts';
import { globalFlags } from './global-flags.ts';

/** A command line, taken apart. */
export interface ResolvedCommand {
  readonly command: Command;
  /** From the program down to the command, such as `['win-automation', 'windows', 'exec']`. */
  readonly path: readonly string[];
  /** The command's flags and positionals, global flags first. */
  readonly args: readonly string[];
  /** What stands behind `--`; undefined if there is no `--`. */
  readonly words: readonly string[] | undefined;
}

/**
 * Finds the command that a command line means. Global flags may stand before it.
 *
 * @throws ProblemsError `usage` for a command or a flag that does not exist, with the nearest that does
 */
export async function resolveCommand(root: Command, argv: readonly string[]): Promise<ResolvedCommand> {
  const end = argv.indexOf('--');
  const own = end === -1 ? argv : argv.slice(0, end);
  const words = end === -1 ? undefined : argv.slice(end + 1);
  const path = [root.meta.name];
  const early: string[] = [];
  let command = root;
  let index = 0;
  for (; command.subCommands !== undefined && index < own.length; index += 1) {
    const word = own[index] as string;
    // A command that does something by itself, too, has its own flags and words from here on.
    if (command.run !== undefined && !Object.hasOwn(command.subCommands, word)) break;
    if (word.startsWith('-')) {
      const taken = globalFlagAt(own, index);
      early.push(...taken);
      index += taken.length - 1;
      continue;
    }
    const load = Object.hasOwn(command.subCommands, word) ? command.subCommands[word] : undefined;
    if (load === undefined) throw unknownCommand(path, word, Object.keys(command.subCommands));
    command = await load();
    path.push(word);
  }
  return { command, path, args: [...early, ...own.slice(index)], words };
}

/** The words that a global flag before the command takes up. */
function globalFlagAt(own: readonly string[], index: number): string[] {
  const word = own[index] as string;
  const name = word.replace(/^-+/, '').split('=', 1)[0] ?? '';
  const flag = word === '-h' ? globalFlags.help : globalFlags[name as keyof typeof globalFlags];
  if (flag === undefined) {
    throw new ProblemsError('usage', [`unknown flag ${word}${flagGuess(name, Object.keys(globalFlags))}`], {
      hint: "only global flags stand before the command; put a command's own flags behind it",
    });
  }
  return flag.type === 'string' && !word.includes('=') ? own.slice(index, index + 2) : [word];
}

function unknownCommand(path: readonly string[], word: string, known: readonly string[]): ProblemsError {
  const line = path.join(' ');
  return new ProblemsError('usage', [`${line}: unknown command ${word}${didYouMean(word, known)}`], {
    hint: `${line} --help lists the commands`,
  });
}

const flagGuess = (name: string, known: readonly string[]) => didYouMean(name, known).replace('mean ', 'mean --');

/**
 * Checks a command's arguments before citty parses them, which would let mistakes pass.
 *
 * @throws ProblemsError `usage`, with every problem
 */
export function checkArguments({ command, path, args, words }: ResolvedCommand): void {
  const flags = Object.entries((command.args ?? {}) as Record<string, ArgDef>);
  const named = flags.filter(([, flag]) => flag.type !== 'positional');
  const positionals = flags.filter(([, flag]) => flag.type === 'positional').map(([name]) => name);
  const isVariadic = positionals.at(-1)?.endsWith('...') ?? false;
  const options = named.map(([name, flag]) => {
    const short = 'alias' in flag && typeof flag.alias === 'string' ? { short: flag.alias } : {};
    return [name, { type: flag.type === 'boolean' ? 'boolean' : 'string', ...short }] as const;
  });
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(options),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const known = named.map(([name]) => name);
  const problems = tokens.flatMap((token) => {
    if (token.kind !== 'option') return [];
    return checkFlag(token, named.find(([name]) => name === token.name)?.[1], known);
  });
  // Behind a flag that nobody knows, nobody knows either which word is its value.
  if (problems.length === 0 && !isVariadic) {
    const surplus = tokens.filter((token) => token.kind === 'positional').slice(positionals.length);
    problems.push(...surplus.map((token) => unexpected(command, path, token.value)));
  }
  if (words !== undefined && command.wordsHint === undefined) problems.push('nothing may stand behind --');
  if (problems.length > 0) throw new ProblemsError('usage', problems, { hint: `${path.join(' ')} --help` });
}

interface OptionToken {
  readonly rawName: string;
  readonly name: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function checkFlag(token: OptionToken, flag: ArgDef | undefined, known: readonly string[]): string[] {
  const { rawName, name, value, inlineValue } = token;
  if (flag === undefined) return [`unknown flag ${rawName}${flagGuess(name, known)}`];
  if (flag.type === 'boolean') return value === undefined ? [] : [`${rawName} takes no value`];
  if (value === undefined || value === '') return [`${rawName} needs a value`];
  if (flag.type === 'enum' && flag.options !== undefined && !flag.options.includes(value)) {
    return [`${rawName} ${value}: one of ${flag.options.join(', ')}${didYouMean(value, flag.options)}`];
  }
  if (inlineValue !== true && value.startsWith('-')) {
    return [`${rawName} needs a value (if it is ${value}, write ${rawName}=${value})`];
  }
  return [];
}

function unexpected(command: Command, path: readonly string[], word: string): string {
  const behindDashes = command.wordsHint === undefined ? '' : ` (did you mean ${path.join(' ')} -- ${word}?)`;
  return `unexpected word ${JSON.stringify(word)}${behindDashes}`;
}

/** Every value that a flag was given, in order: `--param a=1 --param=b=2`. */
export function flagValues(args: readonly string[], name: string): string[] {
  return args.flatMap((word, index) => {
    if (word.startsWith(`--${name}=`)) return [word.slice(name.length + 3)];
    const next = args[index + 1];
    return word === `--${name}` && next !== undefined ? [next] : [];
  });
}
