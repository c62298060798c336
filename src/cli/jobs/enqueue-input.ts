import { resolve } from 'node:path';
import { readSmallFile } from '../../config/file.ts';
import { AutomationError, messageOf, ProblemsError } from '../../core/errors.ts';
import { flagValues } from '../arguments.ts';
import { parseParameters, parseTextParameters, wholeNumber, withoutUndefined } from '../job-input.ts';
import { foldersBeside, packBeside } from '../windows/beside.ts';
import { type RunArgs, runFlags, runInput, runSettings } from '../windows/run-flags.ts';
import { readScript } from '../windows/script-file.ts';

/** The flags of `jobs enqueue` that make an input, by type. */
export interface InputFlags extends RunArgs {
  readonly input?: string | undefined;
  readonly file?: string | undefined;
  readonly shell?: string | undefined;
  readonly task?: string | undefined;
  readonly 'max-steps'?: string | undefined;
  readonly 'selected-screen'?: string | undefined;
  readonly 'trace-name'?: string | undefined;
  readonly url?: string | undefined;
  readonly flow?: string | undefined;
  readonly screenshot?: boolean | undefined;
  readonly 'full-page'?: boolean | undefined;
  readonly trace?: boolean | undefined;
  readonly video?: boolean | undefined;
  readonly days?: string | undefined;
  readonly 'dry-run'?: boolean | undefined;
  readonly 'idempotent-check'?: string | undefined;
}

/** The input that the flags mean for a job type; not yet checked by its schema. */
export async function inputOf(
  type: string,
  args: InputFlags,
  given: readonly string[],
  words: readonly string[],
): Promise<unknown> {
  refuseOtherFlags(type, args.input !== undefined, given, words);
  if (args.input !== undefined) return parseJson(args.input);
  const idempotent_check = args['idempotent-check'];
  const byType: Readonly<Record<string, () => unknown>> = {
    'windows.exec': () => execInput(args, given, words),
    'windows.script': () => scriptInput(args, given),
    'aloha.run': () => ({
      task: args.task,
      max_steps: wholeNumber('max-steps', args['max-steps']),
      selected_screen: wholeNumber('selected-screen', args['selected-screen']),
      trace_name: args['trace-name'],
      idempotent_check,
    }),
    'playwright.run': () => ({
      url: args.url,
      flow: args.flow === undefined ? undefined : resolve(args.flow),
      params: parseTextParameters(flagValues(given, 'param')),
      screenshot: args.screenshot,
      full_page: args['full-page'],
      trace: args.trace,
      video: args.video,
      idempotent_check,
    }),
    'supervisor.pass': () => ({ dry_run: args['dry-run'] }),
    'artifacts.gc': () => ({ days: wholeNumber('days', args.days), dry_run: args['dry-run'] }),
  };
  const input = (await byType[type]?.()) as Record<string, unknown> | undefined;
  return withoutUndefined(input ?? {});
}

const runFlagNames = Object.keys(runFlags);
const alohaFlagNames = ['task', 'max-steps', 'selected-screen', 'trace-name', 'idempotent-check'];
const playwrightNames = ['url', 'flow', 'param', 'screenshot', 'full-page', 'trace', 'video', 'idempotent-check'];

/** The flags that make up the input of each type. */
const flagsByType: Readonly<Record<string, readonly string[]>> = {
  'windows.exec': ['shell', 'idempotent-check', ...runFlagNames],
  'windows.script': ['file', 'param', 'with', 'idempotent-check', ...runFlagNames],
  'aloha.run': alohaFlagNames,
  'playwright.run': playwrightNames,
  'supervisor.pass': ['dry-run'],
  'artifacts.gc': ['days', 'dry-run'],
};

/** @throws ProblemsError `usage` for flags and words that would go nowhere */
function refuseOtherFlags(type: string, isWhole: boolean, given: readonly string[], words: readonly string[]): void {
  const inputFlags = new Set(Object.values(flagsByType).flat());
  const used = given.map((word) => /^--([a-z-]+)/.exec(word)?.[1] ?? '').filter((name) => inputFlags.has(name));
  const own = isWhole ? [] : (flagsByType[type] ?? []);
  const why = isWhole ? '--input is the whole input, and does not go together with' : `a job of type ${type} takes no`;
  const problems = [...new Set(used)].filter((name) => !own.includes(name)).map((name) => `${why} --${name}`);
  if (words.length > 0 && (isWhole || type !== 'windows.exec')) problems.push(`${why} words behind --`);
  if (problems.length > 0) throw new ProblemsError('usage', problems);
}

function execInput(args: InputFlags, given: readonly string[], words: readonly string[]) {
  const { shell } = args;
  const settings = runInput(runSettings(args, given));
  return { command: words.join(' '), shell, ...settings, idempotent_check: args['idempotent-check'] };
}

async function scriptInput(args: InputFlags, given: readonly string[]) {
  const file = args.file === undefined ? undefined : readScript(args.file);
  return {
    script: file?.text ?? '',
    name: file?.name,
    parameters: parseParameters(flagValues(given, 'param')),
    with: await packBeside(await foldersBeside(flagValues(given, 'with'))),
    ...runInput(runSettings(args, given)),
    idempotent_check: args['idempotent-check'],
  };
}

async function parseJson(given: string): Promise<unknown> {
  const text = given.startsWith('@') ? readSmallFile(given.slice(1), '--input') : given;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AutomationError('usage', `--input is not JSON: ${messageOf(error)}`);
  }
}
