import { describe, it } from 'node:test';

/**
 * A suite that needs something of the machine. Where that is missing it is one skipped test that says what: runners drop a
 * skipped `describe` without a word.
 *
 * @param whyNot what is missing; undefined or false if nothing is
 */
export function suite(name: string, whyNot: string | false | undefined, body: () => void): void {
  if (!whyNot) describe(name, body);
  else describe(name, () => it(`is skipped: ${whyNot}`, { skip: whyNot }, () => undefined));
}
