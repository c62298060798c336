import { AutomationError } from './errors.ts';

/** A span of time in milliseconds. The brand keeps it apart from other numbers. */
export type Milliseconds = number & { readonly unit: 'ms' };

/** Marks a number of milliseconds as such. */
export const milliseconds = (value: number): Milliseconds => value as Milliseconds;

const msByUnit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const units = ['d', 'h', 'm', 's', 'ms'] as const;

/** What a duration looks like, for messages. */
export const durationForm = 'a duration such as 500ms, 30s, 10m, 1h or 1m30s';

/**
 * Reads `500ms`, `30s`, `10m`, `1h`, `7d` and compounds of them in falling order (`1m30s`). A bare number is refused,
 * because nobody can tell its unit.
 *
 * @returns milliseconds, or undefined if the text is not a duration
 */
export function parseDuration(text: string): Milliseconds | undefined {
  if (!/^(\d{1,12}(ms|s|m|h|d))+$/.test(text)) return undefined;
  let total = 0;
  let last = -1;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g)) {
    const rank = units.indexOf(unit as (typeof units)[number]);
    if (rank <= last) return undefined;
    last = rank;
    total += Number(amount) * msByUnit[unit as keyof typeof msByUnit];
  }
  return Number.isSafeInteger(total) ? milliseconds(total) : undefined;
}

/**
 * Reads a duration that a flag was given.
 *
 * @throws AutomationError `usage`, naming the flag and the value
 */
export function durationFlag(flag: string, text: string, atLeastMs = 1): Milliseconds {
  const parsed = parseDuration(text);
  if (parsed === undefined) throw new AutomationError('usage', `--${flag} ${text}: not ${durationForm}`);
  if (parsed < atLeastMs) {
    throw new AutomationError('usage', `--${flag} ${text}: at least ${formatDuration(milliseconds(atLeastMs))}`);
  }
  return parsed;
}

/** Writes milliseconds (a whole number, 0 or more) as `parseDuration` reads them: 90000 is `1m30s`, 0 is `0ms`. */
export function formatDuration(ms: Milliseconds): string {
  let rest: number = ms;
  let text = '';
  for (const unit of units) {
    const amount = Math.floor(rest / msByUnit[unit]);
    rest -= amount * msByUnit[unit];
    if (amount > 0) text += `${amount}${unit}`;
  }
  return text || '0ms';
}
