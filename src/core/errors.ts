/** A value that fits into one word of a log line or of a payload. */
export type Scalar = string | number | boolean | null | undefined;

/** Every way this program fails. `exit-codes.ts` maps each to an exit code. */
export type ErrorCode =
  | 'usage'
  | 'config_invalid'
  | 'io_failed'
  | 'ssh_unreachable'
  | 'ssh_handshake_failed'
  | 'ssh_authentication_failed'
  | 'ssh_connection_lost'
  | 'ssh_channel_refused'
  | 'host_key_changed'
  | 'host_key_unknown'
  | 'host_key_revoked'
  | 'host_key_not_recorded'
  | 'script_failed'
  | 'remote_unexpected'
  | 'file_failed'
  | 'gui_blocked'
  | 'http_unreachable'
  | 'http_unexpected'
  | 'playwright_missing'
  | 'playwright_refused'
  | 'version_mismatch'
  | 'flow_failed'
  | 'remote_failed'
  | 'aloha_failed'
  | 'hatchet_unreachable'
  | 'hatchet_refused'
  | 'hatchet_failed'
  | 'container_failed'
  | 'artifact_refused'
  | 'job_unknown'
  | 'job_state'
  | 'job_lost'
  | 'cancelled'
  | 'store_newer'
  | 'store_failed'
  | 'timeout'
  | 'interrupted'
  | 'terminated'
  | 'internal';

export interface ErrorOptions {
  /** What the user can do next: a sentence or a command to type. */
  readonly hint?: string;
  /** Context for the log line: host, port, attempt and the like. */
  readonly fields?: Readonly<Record<string, Scalar>>;
  /** Whether the same try may succeed a moment later (false unless told). */
  readonly isTransient?: boolean;
  readonly cause?: unknown;
}

/**
 * The one error type that services throw on purpose. The message says what happened and where, `hint` what to do
 * next; `code` is stable, for scripts.
 */
export class AutomationError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly fields: Readonly<Record<string, Scalar>>;
  readonly isTransient: boolean;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AutomationError';
    this.code = code;
    this.hint = options.hint;
    this.fields = options.fields ?? {};
    this.isTransient = options.isTransient ?? false;
  }
}

/** Several faults of what the user wrote, found in one go: each becomes a line of its own. */
export class ProblemsError extends AutomationError {
  readonly problems: readonly string[];

  /**
   * @param code `usage` or `config_invalid`
   * @param problems one sentence each, at least one
   */
  constructor(code: 'usage' | 'config_invalid', problems: readonly string[], options: ErrorOptions = {}) {
    super(code, problems.join('; '), options);
    this.problems = problems;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node system error (`ENOENT`, `ECONNREFUSED`), or undefined. */
export function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
