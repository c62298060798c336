import type { Capture, CapturedText } from './capture.ts';

/** What Windows calls a code page, as the labels of the WHATWG or IANA that people know it by. */
const labels: Readonly<Record<number, string>> = {
  720: 'cp720',
  874: 'windows-874',
  932: 'shift_jis',
  936: 'gbk',
  949: 'euc-kr',
  950: 'big5',
  1200: 'utf-16le',
  65001: 'utf-8',
};

/** The label of a code page of Windows (learn.microsoft.com, "Code Page Identifiers"): 437 is `ibm437`, 1252 `windows-1252`. */
export function labelOfCodePage(codePage: number): string {
  const known = labels[codePage];
  if (known !== undefined) return known;
  return codePage >= 1_250 && codePage <= 1_258 ? `windows-${codePage}` : `ibm${codePage}`;
}

/**
 * The text of what a command wrote, by the code page it was written in.
 *
 * @param label as `windows.encoding`: `auto` is UTF-8 where the bytes are UTF-8, else the host's code page
 * @param codePageOf asks the host for the label of its code page; undefined where it can't be told
 * @returns `encoding` is the label that the bytes were decoded from; `base64` stands for what is no text
 */
export async function decodeCapture(
  capture: Capture,
  label: string,
  codePageOf: () => Promise<string | undefined>,
): Promise<CapturedText> {
  const captured = capture.read();
  if (label === 'utf-8' || (label === 'auto' && captured.encoding === 'utf-8')) return captured;
  const bytes = capture.bytes();
  const isUtf16 = bytes.length > 2 && bytes.length % 2 === 0 && bytes[0] === 0xff && bytes[1] === 0xfe;
  const wanted = label !== 'auto' ? label : isUtf16 ? 'utf-16le' : bytes.includes(0) ? undefined : await codePageOf();
  if (wanted === undefined || wanted === 'utf-8') return captured;
  // Loaded here alone: most output is UTF-8, and the tables are large.
  const { default: iconv } = await import('iconv-lite');
  if (!iconv.encodingExists(wanted)) return captured;
  return { ...captured, text: iconv.decode(bytes, wanted), encoding: wanted };
}
