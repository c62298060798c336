import type { ArgDef } from 'citty';
import { type Secret, secrets, settings } from '../config/sections.ts';
import { versions } from '../core/version.ts';
import { type Command, defineAction } from './command.ts';
import { globalFlags } from './global-flags.ts';

export default defineAction({
  name: 'manual',
  description: 'Prints the manual page, for man',
  examples: ['manual > win-automation.1', 'manual | man -l -'],
  run: async ({ output }) => {
    const { program } = await import('./program.ts');
    const commands = await commandSections(program, []);
    await output.text(manualPage(program.meta.description, commands));
    return 0;
  },
});

/** Text for roff (groff_man(7)): a backslash and a leading dot or apostrophe mean something there, as does a hyphen. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');

function manualPage(description: string, commands: string): string {
  const variables = [
    ...settings.map(({ env, key, setting }) => [env, `${key}: ${setting.description}`] as const),
    ...Object.values<Secret>(secrets).map(({ env, description: text }) => [env, `${text}; or ${env}_FILE`] as const),
  ];
  return [
    `.TH WIN\\-AUTOMATION 1 "" "win\\-automation ${roff(versions.version)}"`,
    '.SH NAME',
    `win\\-automation \\- ${roff(description)}`,
    '.SH SYNOPSIS',
    '.B win\\-automation',
    'COMMAND [OPTIONS] [\\-\\- WORDS]',
    '.SH COMMANDS',
    commands,
    '.SH OPTIONS OF EVERY COMMAND',
    ...Object.entries(globalFlags).map(([name, flag]) => flagLines(name, flag)),
    '.SH EXIT STATUS',
    ...Object.entries(exitMeanings).map(([code, meaning]) => `.TP\n${code}\n${roff(meaning)}`),
    '.SH ENVIRONMENT',
    ...variables.map(([name, text]) => `.TP\n.B ${roff(name)}\n${roff(text)}`),
    '',
  ].join('\n');
}

const exitMeanings = {
  0: 'success, or skipped because the idempotency check held',
  1: 'it ran and failed',
  2: 'usage or configuration',
  3: 'something cannot be reached or refuses us',
  4: 'timeout',
  '130, 143': 'interrupted by SIGINT, SIGTERM, after cleaning up',
};

/** Every command that does something, the hidden ones left out. */
async function commandSections(command: Command, path: readonly string[]): Promise<string> {
  if (command.meta.hidden) return '';
  const own = command.run === undefined ? [] : [commandSection(command, path)];
  const below: string[] = [];
  for (const [name, load] of Object.entries(command.subCommands ?? {})) {
    below.push(await commandSections(await load(), [...path, name]));
  }
  return [...own, ...below].filter(Boolean).join('\n');
}

function commandSection({ meta, args = {}, examples, wordsHint }: Command, path: readonly string[]): string {
  const flags = Object.entries(args as Record<string, ArgDef>).filter(([name]) => !(name in globalFlags));
  const positionals = flags.filter(([, { type }]) => type === 'positional').map(([name]) => ` ${name.toUpperCase()}`);
  const words = wordsHint === undefined ? '' : ` -- ${wordsHint}`;
  return [
    `.SS ${roff(path.join(' '))}${roff(positionals.join(''))}${roff(words)}`,
    roff(meta.description),
    ...flags.filter(([, { type }]) => type !== 'positional').map(([name, flag]) => flagLines(name, flag)),
    ...(examples.length === 0 ? [] : ['.PP', '.nf', ...examples.map((one) => roff(`win-automation ${one}`)), '.fi']),
  ].join('\n');
}

function flagLines(name: string, { type, description = '', ...rest }: ArgDef): string {
  const hint = 'valueHint' in rest && rest.valueHint !== undefined ? ` ${rest.valueHint}` : '';
  return `.TP\n.B ${roff(`--${name}${type === 'boolean' ? '' : hint}`)}\n${roff(description)}`;
}
