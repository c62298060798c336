import { stripVTControlCharacters } from 'node:util';
import { renderUsage } from 'citty';
import type { ResolvedCommand } from './arguments.ts';

/** The help text of a command: what it is for, its flags, its subcommands, and examples to copy. */
export async function renderHelp({ command, path }: ResolvedCommand, hasColor: boolean): Promise<string> {
  const parent = path.slice(0, -1).join(' ');
  const usage = await renderUsage(command, parent === '' ? undefined : { meta: { name: parent } });
  const behind =
    command.wordsHint === undefined ? usage : usage.replace(/ \[OPTIONS\]/, ` [OPTIONS] -- ${command.wordsHint}`);
  const examples = command.examples.map((example) => `  win-automation ${example}\n`);
  const text = `${behind.trimEnd()}\n${examples.length > 0 ? `\nEXAMPLES\n\n${examples.join('')}` : ''}`;
  return hasColor ? text : stripVTControlCharacters(text).replace(/ +$/gm, '');
}
