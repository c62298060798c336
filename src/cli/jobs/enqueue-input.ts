import { resolve } from 'node:path';
import { readSmallFile } from '../../config/file.ts';
import { AutomationError, messageOf } from '../../core/errors.ts';
import { flagValues } from '../arguments.ts';
import { parseParameters, wholeNumber, withoutUndefined } from '../job-input.ts';

/** The flags of `jobs enqueue` that make an input, by type. */
export interface InputFlags {
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
  if (args.input !== undefined) return parseJson(args.input);
  const parameters = () => parseParameters(flagValues(given, 'param'));
  const idempotent_check = args['idempotent-check'];
  const byType: Readonly<Record<string, () => unknown>> = {
    'windows.exec': () => ({ command: words.join(' '), shell: args.shell, idempotent_check }),
    'windows.script': async () => ({
      script: args.file === undefined ? '' : readSmallFile(args.file, '--file'),
      parameters: parameters(),
      idempotent_check,
    }),
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
      params: parameters(),
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

async function parseJson(given: string): Promise<unknown> {
  const text = given.startsWith('@') ? readSmallFile(given.slice(1), '--input') : given;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AutomationError('usage', `--input is not JSON: ${messageOf(error)}`);
  }
}
