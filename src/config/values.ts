import * as v from 'valibot';
import { durationForm, formatDuration, type Milliseconds, milliseconds, parseDuration } from '../core/duration.ts';

/**
 * How one setting is read. `schema` takes what a JSON file holds; `fromText` turns an environment variable's text
 * into the same; `accepts` is what a message says would have been right.
 */
export interface ValueKind<T> {
  readonly schema: v.GenericSchema<unknown, T>;
  readonly accepts: string;
  fromText(text: string): unknown;
  /** The value as a user would write it. */
  toText(value: T): string;
}

const asItIs = (text: string): unknown => text;

// A control character in a host, a user or a path is never meant, and NUL cuts a path short.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const noControl = v.regex(/^[^\x00-\x1f\x7f]*$/);

function kindOf<T>(schema: v.GenericSchema<unknown, T>, accepts: string, more: Partial<ValueKind<T>> = {}) {
  return { schema, accepts, fromText: asItIs, toText: String, ...more } as ValueKind<T>;
}

const anyLine = v.pipe(v.string(), noControl);
const fullLine = v.pipe(v.string(), v.minLength(1), noControl);

/** A non-empty line of text, such as a user or a path. */
export const line = (accepts: string) => kindOf(fullLine, accepts);

/** A line of text that may be empty, such as a command to run. */
export const optionalLine = (accepts: string) => kindOf(anyLine, accepts);

/** A command: a line for /bin/sh, or its words, which no shell sees; in the environment the latter as JSON. */
export type Command = string | readonly [string, ...string[]];

// A line for the shell may begin with a bracket too.
const jsonArray = v.pipe(v.string(), v.startsWith('['), v.parseJson());

export const command = kindOf<Command>(
  v.union([fullLine, v.tupleWithRest([fullLine], anyLine)]),
  'a line for /bin/sh, or an array of a program and its arguments',
  {
    fromText: (text) => {
      const parsed = v.safeParse(jsonArray, text);
      return parsed.success ? parsed.output : text;
    },
    toText: (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
  },
);

/** The code pages of Windows and its older programs, by the labels that `labelOfCodePage` gives and their common other names. */
const encodingLabel =
  /^(auto|utf-8|utf-16le|(ibm|cp)(437|737|775|850|852|855|857|858|860|861|862|863|864|865|866|869)|cp720|windows-(874|125[0-8])|iso-8859-([1-9]|1[0-1]|1[3-6])|koi8-[ru]|shift_jis|gbk|gb18030|big5|euc-kr|euc-jp)$/;

/** Names of environment variables: an array, or in the environment words between commas. */
export const variableNames = kindOf<readonly string[]>(
  v.array(v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/))),
  'names of environment variables',
  {
    fromText: (text) => text.split(',').map((name) => name.trim()),
    toText: (names) => names.join(','),
  },
);

/** What text is decoded from. */
export const textEncoding = kindOf(
  v.pipe(v.string(), v.regex(encodingLabel)),
  'auto, utf-8, or the label of a code page such as ibm437, ibm850, windows-1252, shift_jis, gbk',
);

/** A DNS name or an IP address, without a port. */
export const hostName = kindOf(
  v.pipe(
    v.string(),
    v.maxLength(253),
    v.regex(/^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?$|^[0-9A-Fa-f:]*:[0-9A-Fa-f:.%a-z0-9]*$/),
  ),
  'a host name or an IP address, without a port',
);

/** A whole number between two bounds, both included. */
export const integer = (min: number, max: number) =>
  kindOf(v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max)), `a whole number from ${min} to ${max}`, {
    fromText: (text) => (/^-?\d+$/.test(text) ? Number(text) : text),
  });

export const port = integer(1, 65_535);

export const boolean = kindOf(v.boolean(), 'true or false', {
  fromText: (text) => ({ true: true, '1': true, false: false, '0': false })[text] ?? text,
});

/** One of some words. */
export const oneOf = <const T extends readonly [string, ...string[]]>(...words: T) =>
  kindOf<T[number]>(v.picklist(words), words.join(', ').replace(/, ([^,]*)$/, ' or $1'));

/** A duration between two bounds, both included; its value is in milliseconds. */
export const duration = (min: string, max: string) => {
  const [minMs, maxMs] = [parseDuration(min) ?? 0, parseDuration(max) ?? 0];
  return kindOf<Milliseconds>(
    v.pipe(
      v.string(),
      v.regex(/^(\d+(ms|s|m|h|d))+$/),
      v.transform((text) => parseDuration(text) ?? Number.NaN),
      v.number(),
      v.minValue(minMs),
      v.maxValue(maxMs),
      v.transform(milliseconds),
    ),
    `${durationForm}, from ${min} to ${max}`,
    { toText: formatDuration },
  );
};

const isHttpUrl = (text: string) => {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '';
};

/** An http or https address. Trailing slashes go, and so does `trim` (a path that people paste along). */
export const httpUrl = (trim?: string) =>
  kindOf<string>(
    v.pipe(
      v.string(),
      v.check(isHttpUrl),
      v.transform((text) => {
        const bare = text.replace(/\/+$/, '');
        return trim !== undefined && bare.endsWith(trim) ? bare.slice(0, -trim.length).replace(/\/+$/, '') : bare;
      }),
    ),
    'an http:// or https:// address without query or fragment',
  );

/** `host:port`, as gRPC addresses are written. */
export const hostAndPort = kindOf(
  v.pipe(
    v.string(),
    v.regex(/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/),
    v.check((text) => {
      const number = Number(text.slice(text.lastIndexOf(':') + 1));
      return number >= 1 && number <= 65_535;
    }),
  ),
  'host:port, with a port from 1 to 65535',
);
