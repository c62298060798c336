import type { CapturedText } from './capture.ts';

/** One stream of a command as payloads and results have it. */
export const capturedDocument = ({ text, encoding, sizeBytes, isTruncated }: CapturedText) => ({
  text,
  encoding,
  size_bytes: sizeBytes,
  truncated: isTruncated,
});
