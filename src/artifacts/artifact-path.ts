import { AutomationError } from '../core/errors.ts';

/**
 * Whether a path may stand in a manifest: relative, forward slashes, inside the job folder, and no name that Windows reads
 * as something else.
 */
export function isArtifactPath(path: string): boolean {
  if (path.length === 0 || path.length > 1_024) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  return path.split('/').every((part) => /^[^\\/:*?"<>|\0-\x1f]{1,255}$/.test(part) && part !== '.' && part !== '..');
}

/** @throws AutomationError `artifact_refused` */
export function requireArtifactPath(path: string): string {
  if (isArtifactPath(path)) return path;
  throw new AutomationError('artifact_refused', `${JSON.stringify(path.slice(0, 200))} leads out of the job folder`);
}
