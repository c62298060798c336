const mask = '[redacted]';

/** Replaces every secret that it knows by `[redacted]`. */
export type Redact = (text: string) => string;

/**
 * Makes a redactor for the given secrets, in the forms in which they turn up in text: as they are, URL-encoded
 * (`playwright.ws_path` inside an address) and JSON-escaped. Empty secrets are ignored.
 */
export function createRedactor(secrets: readonly string[]): Redact {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret === '') continue;
    forms.add(secret);
    forms.add(JSON.stringify(secret).slice(1, -1));
    if (secret.isWellFormed()) forms.add(encodeURIComponent(secret));
  }
  if (forms.size === 0) return (text) => text;
  // The longest first: where one secret begins another, no tail of the longer one may remain.
  const alternatives = [...forms].sort((a, b) => b.length - a.length).map((form) => RegExp.escape(form));
  const pattern = new RegExp(alternatives.join('|'), 'g');
  return (text) => text.replace(pattern, mask);
}

/** A value of JSON with every text in it redacted; keys, numbers and what holds them stay. */
export function redactValue(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactValue(inner, redact)]));
}
