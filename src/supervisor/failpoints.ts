import { ProblemsError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import { type Component, components } from './verdict.ts';

/**
 * The components that a failpoint makes fail (context.md, "Testing"), several by commas.
 *
 * @param text of WIN_AUTOMATION_SUPERVISOR_FAILPOINT
 * @throws ProblemsError `usage` for a name that is no component
 */
export function parseFailpoints(text: string | undefined): ReadonlySet<Component> {
  const names = (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  const known: readonly string[] = components;
  const problems = names
    .filter((name) => !known.includes(name))
    .map((name) => `WIN_AUTOMATION_SUPERVISOR_FAILPOINT: ${name} is no component${didYouMean(name, known)}`);
  if (problems.length > 0) throw new ProblemsError('usage', problems, { hint: `there are ${known.join(', ')}` });
  return new Set(names as Component[]);
}
