import tab from '@bomb.sh/tab/citty';
import { type Command, defineAction } from './command.ts';
import { program } from './program.ts';

export default defineAction({
  name: 'complete',
  description: 'Answers the completion scripts of the shells',
  isHidden: true,
  wordsHint: 'WORDS…',
  examples: [],
  run: async ({ words }) => {
    const root = await tab({ ...program, subCommands: await visible(program) } as never);
    root.parse([...words]);
    return 0;
  },
});

/** The library wants the whole tree, and describes what is hidden too. */
async function visible(command: Command): Promise<Record<string, Command>> {
  const loaded = await Promise.all(
    Object.entries(command.subCommands ?? {}).map(async ([name, load]) => [name, await load()] as const),
  );
  const shown = loaded.filter(([, sub]) => sub.meta.hidden !== true);
  const deep = await Promise.all(
    shown.map(async ([name, sub]) => {
      return [name, sub.subCommands === undefined ? sub : { ...sub, subCommands: await visible(sub) }] as const;
    }),
  );
  return Object.fromEntries(deep) as Record<string, Command>;
}
