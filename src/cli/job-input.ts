import * as v from 'valibot';
import { ProblemsError } from '../core/errors.ts';
import type { JobType } from '../jobs/job-type.ts';
import type { ParameterValue } from '../windows/powershell/compose.ts';

/** Checks a job's input. @throws ProblemsError `usage`, every problem with its path */
export function parseInput(type: JobType, input: unknown): unknown {
  const parsed = v.safeParse(type.input, input);
  if (parsed.success) return parsed.output;
  const problems = parsed.issues.map((issue) => {
    const path = v.getDotPath(issue);
    return `${type.name} input${path === null ? '' : ` ${path}`}: ${issue.message}`;
  });
  throw new ProblemsError('usage', problems);
}

/** Leaves out what is undefined, so that the job type's own defaults hold. */
export function withoutUndefined(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
}

/** A whole number that a flag was given. @throws ProblemsError `usage` */
export function wholeNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new ProblemsError('usage', [`--${flag} ${text}: not a whole number`]);
  return Number(text);
}

/**
 * `--param NAME=VALUE` or `--param NAME`, as often as it was given: a name alone is true, and one that is given again has all
 * its values, whatever its case. What a value is, the script's own declaration decides.
 *
 * @throws ProblemsError `usage`
 */
export function parseParameters(given: readonly string[]): Record<string, ParameterValue> {
  const problems = given
    .filter((text) => !/^[\p{L}_][\p{L}\p{N}_]*(=|$)/u.test(text))
    .map((text) => `--param ${text}: neither NAME=VALUE nor NAME`);
  if (problems.length > 0) throw new ProblemsError('usage', problems);
  // PowerShell's names ignore case.
  const found = new Map<string, { readonly name: string; readonly values: ParameterValue[] }>();
  for (const text of given) {
    const [name = ''] = text.split('=', 1);
    const value = text.length === name.length ? true : text.slice(name.length + 1);
    const known = found.get(name.toLowerCase());
    if (known === undefined) found.set(name.toLowerCase(), { name, values: [value] });
    else known.values.push(value);
  }
  return Object.fromEntries(
    [...found.values()].map(({ name, values }) => [name, values.length === 1 ? (values[0] ?? null) : values]),
  );
}

/** Parameters that are text, once each: a flow's. @throws ProblemsError `usage` */
export function parseTextParameters(given: readonly string[]): Record<string, string> {
  const problems = given
    .filter((text) => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(text))
    .map((text) => `--param ${text}: not NAME=VALUE`);
  if (problems.length > 0) throw new ProblemsError('usage', problems);
  return Object.fromEntries(given.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]));
}
