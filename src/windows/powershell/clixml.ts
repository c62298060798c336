const header = '#< CLIXML';
const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/**
 * Turns what PowerShell writes to standard error when nobody sits at a console (CLIXML) back into the text of its errors
 * and warnings; progress records go. Anything else stays as it is.
 */
export function decodeClixml(text: string): string {
  const start = text.indexOf(header);
  if (start === -1) return text;
  const objects = text.slice(start + header.length);
  const end = objects.lastIndexOf('</Objs>');
  if (end === -1) return text;
  const strings = objects.slice(0, end).matchAll(/<S S="(?:Error|warning|verbose|debug|information)">([^<]*)<\/S>/gi);
  const decoded = [...strings].map(([, content = '']) => decodeString(content)).join('');
  return text.slice(0, start) + decoded + objects.slice(end + '</Objs>'.length).replace(/^\s+/, '');
}

/** XML entities, then `_x000D_` for each UTF-16 unit that XML 1.0 can't hold (MS-PSRP, section 2.2.5.3.2). */
function decodeString(content: string): string {
  return content
    .replace(/&(#x?[0-9A-Fa-f]+|\w+);/g, (whole, name: string) => {
      if (name.startsWith('#x')) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
      if (name.startsWith('#')) return String.fromCodePoint(Number(name.slice(1)));
      return entities[name] ?? whole;
    })
    .replace(/_x([0-9A-Fa-f]{4})_/g, (_whole, unit: string) => String.fromCharCode(Number.parseInt(unit, 16)));
}
