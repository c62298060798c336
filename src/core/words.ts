import type { Scalar } from './errors.ts';

const bare = /^[!#-<>-[\]-~]+$/;
const named: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is to be escaped
const special = /["\\\x00-\x1f\x7f-\uffff]/g;

// A captured output has megabytes: escaped in one go it would take a gigabyte of small strings.
const sliceLength = 65_536;

/**
 * Writes one value of a `key=value` line (context.md, "Logging Schema"): bare where it is non-empty printable ASCII
 * free of spaces, quotes, `=` and backslashes, else double-quoted. Any UTF-16 unit outside printable ASCII becomes
 * `\uXXXX`, so that lone surrogates survive too.
 */
export function encodeValue(value: Exclude<Scalar, undefined>): string {
  const text = String(value);
  if (bare.test(text)) return text;
  const parts: string[] = [];
  for (let start = 0; start < text.length; start += sliceLength) {
    parts.push(text.slice(start, start + sliceLength).replace(special, escaped));
  }
  return `"${parts.join('')}"`;
}

const escaped = (unit: string) => named[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Joins `key=value` words by spaces in the order given. What is undefined is left out. */
export function encodeWords(fields: Readonly<Record<string, Scalar>>): string {
  const words: string[] = [];
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    words.push(`${key.replace(/[^A-Za-z0-9_.-]/g, '_')}=${encodeValue(value)}`);
  }
  return words.join(' ');
}
