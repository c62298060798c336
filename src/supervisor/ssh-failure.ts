import { AutomationError } from '../core/errors.ts';

/** Whether an error says that SSH itself can't be had. What goes through it is then unknown, not failed. */
export function isSshFailure(error: unknown): error is AutomationError {
  return error instanceof AutomationError && /^(ssh|host_key)_/.test(error.code);
}
