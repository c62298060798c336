/** Reads a line of `key=value` words. Written apart from the encoder, so that one can prove the other. */
export function parseWords(line: string): Record<string, string> {
  const fields: [string, string][] = [];
  let at = 0;
  while (at < line.length) {
    const equals = line.indexOf('=', at);
    if (equals === -1) throw new Error(`no = behind ${at} in ${line}`);
    const key = line.slice(at, equals);
    at = equals + 1;
    let value = '';
    if (line[at] === '"') {
      at += 1;
      while (line[at] !== '"') {
        if (at >= line.length) throw new Error(`no closing quote in ${line}`);
        if (line[at] !== '\\') {
          value += line[at];
          at += 1;
          continue;
        }
        const kind = line[at + 1] ?? '';
        if (kind === 'u') {
          value += String.fromCharCode(Number.parseInt(line.slice(at + 2, at + 6), 16));
          at += 6;
        } else {
          const named: Record<string, string> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' };
          const plain = named[kind];
          if (plain === undefined) throw new Error(`unknown escape \\${kind} in ${line}`);
          value += plain;
          at += 2;
        }
      }
      at += 1;
    } else {
      const end = line.indexOf(' ', at);
      value = line.slice(at, end === -1 ? line.length : end);
      at += value.length;
    }
    fields.push([key, value]);
    if (at < line.length && line[at] !== ' ') throw new Error(`no space at ${at} in ${line}`);
    at += 1;
  }
  return Object.fromEntries(fields);
}
