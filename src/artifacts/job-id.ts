import { AutomationError } from '../core/errors.ts';

const pattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;

/** Whether a text can be a job id, and so a folder's name: it leads nowhere else, on Linux or on Windows. */
export const isJobId = (text: string): boolean => pattern.test(text) && !text.endsWith('.');

/** @throws AutomationError `usage`, before any path is made of it */
export function requireJobId(text: string): string {
  if (isJobId(text)) return text;
  throw new AutomationError('usage', `${JSON.stringify(text.slice(0, 160))} is no job id`, {
    hint: 'a job id has 1 to 128 letters, digits, dots, dashes and underscores, and does not begin with a dot',
  });
}
