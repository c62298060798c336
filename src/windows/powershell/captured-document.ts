import type { CapturedText } from '../capture.ts';
import { decodeClixml } from './clixml.ts';

/** What PowerShell wrote to standard error, as a person reads it; what is no text stays. */
export const withoutClixml = (captured: CapturedText): CapturedText =>
  captured.encoding === 'utf-8' ? { ...captured, text: decodeClixml(captured.text) } : captured;

/** One stream of a command as payloads and results have it. */
export const capturedDocument = ({ text, encoding, sizeBytes, isTruncated }: CapturedText) => ({
  text,
  encoding,
  size_bytes: sizeBytes,
  truncated: isTruncated,
});
