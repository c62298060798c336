import * as v from 'valibot';

/** What the PowerShell that stays (host.ps1) is asked. `argument` is base64, as scripts take it. */
export type PersistentRequest =
  | { readonly op: 'run'; readonly id: number; readonly script: string; readonly argument: string }
  | { readonly op: 'cancel'; readonly id: number }
  | { readonly op: 'exit' };

const doneStates = ['ok', 'failed', 'cancelled', 'left'] as const;

/** What it answers. Output stays bytes of UTF-8, since a long one comes in pieces. */
export type PersistentAnswer =
  | { readonly kind: 'ready'; readonly pid: number }
  | { readonly kind: 'out'; readonly id: number; readonly bytes: Buffer }
  /** `left`: it was cancelled, and something of it may go on. The text is the reason of `failed` and `left`. */
  | { readonly kind: 'done'; readonly id: number; readonly state: (typeof doneStates)[number]; readonly text: string }
  | { readonly kind: 'broken'; readonly text: string };

const number = v.pipe(v.string(), v.regex(/^[1-9]\d{0,15}$/), v.transform(Number), v.safeInteger());
const word = v.pipe(
  v.string(),
  v.check((value) => value === '-' || (value.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(value)), 'no base64'),
);
const bytes = v.pipe(
  word,
  v.transform((value) => Buffer.from(value === '-' ? '' : value, 'base64')),
);
const text = v.pipe(
  bytes,
  v.transform((value) => value.toString('utf8')),
);

const readySchema = v.pipe(
  v.strictTuple([v.literal('ready'), number]),
  v.transform(([kind, pid]): PersistentAnswer => ({ kind, pid })),
);
const outSchema = v.pipe(
  v.strictTuple([v.literal('out'), number, bytes]),
  v.transform(([kind, id, piece]): PersistentAnswer => ({ kind, id, bytes: piece })),
);
const doneSchema = v.pipe(
  v.strictTuple([v.literal('done'), number, v.picklist(doneStates), text]),
  v.transform(([kind, id, state, reason]): PersistentAnswer => ({ kind, id, state, text: reason })),
);
const brokenSchema = v.pipe(
  v.strictTuple([v.literal('broken'), text]),
  v.transform(([kind, reason]): PersistentAnswer => ({ kind, text: reason })),
);
const answerSchema = v.lazy((words) => {
  const kind = Array.isArray(words) ? words[0] : undefined;
  return kind === 'out' ? outSchema : kind === 'done' ? doneSchema : kind === 'broken' ? brokenSchema : readySchema;
});

const requestSchema = v.union([
  v.pipe(
    v.strictTuple([v.literal('run'), number, text, word]),
    v.transform(([op, id, script, argument]): PersistentRequest => ({ op, id, script, argument })),
  ),
  v.pipe(
    v.strictTuple([v.literal('cancel'), number]),
    v.transform(([op, id]): PersistentRequest => ({ op, id })),
  ),
  v.pipe(
    v.strictTuple([v.literal('exit')]),
    v.transform(([op]): PersistentRequest => ({ op })),
  ),
]);

/** Reads a line of the far side. @returns undefined if it makes no sense */
export function parseAnswer(line: string): PersistentAnswer | undefined {
  const parsed = v.safeParse(answerSchema, line.split(' '));
  return parsed.success ? parsed.output : undefined;
}

/** Reads a request's line, as the far side does. @returns undefined if it makes no sense */
export function parseRequest(line: string): PersistentRequest | undefined {
  const parsed = v.safeParse(requestSchema, line.split(' '));
  return parsed.success ? parsed.output : undefined;
}

/** A request as its line, without the line's end. */
export function requestLine(request: PersistentRequest): string {
  if (request.op === 'exit') return request.op;
  if (request.op === 'cancel') return `${request.op} ${request.id}`;
  return `${request.op} ${request.id} ${scriptWord(request.script)} ${request.argument || '-'}`;
}

/** An answer as its line, without the line's end. */
export function answerLine(answer: PersistentAnswer): string {
  if (answer.kind === 'ready') return `${answer.kind} ${answer.pid}`;
  if (answer.kind === 'out') return `${answer.kind} ${answer.id} ${answer.bytes.toString('base64') || '-'}`;
  const reason = Buffer.from(answer.text, 'utf8').toString('base64') || '-';
  return answer.kind === 'done' ? `${answer.kind} ${answer.id} ${answer.state} ${reason}` : `${answer.kind} ${reason}`;
}

const encoded = new Map<string, string>();

/** Of the same few scripts again and again. */
function scriptWord(script: string): string {
  const known = encoded.get(script);
  if (known !== undefined) return known;
  const fresh = Buffer.from(script, 'utf8').toString('base64') || '-';
  // Those of a caller's that are composed anew each time must not pile up.
  if (encoded.size < 100) encoded.set(script, fresh);
  return fresh;
}
