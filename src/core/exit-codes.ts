import { AutomationError, type ErrorCode } from './errors.ts';

/** The exit codes of the program, the same for every command. */
export const exitCodes = {
  success: 0,
  failure: 1,
  usage: 2,
  unavailable: 3,
  timeout: 4,
  interrupted: 130,
  terminated: 143,
} as const;

const exitCodeByErrorCode: Readonly<Record<ErrorCode, number>> = {
  usage: exitCodes.usage,
  config_invalid: exitCodes.usage,
  io_failed: exitCodes.failure,
  ssh_unreachable: exitCodes.unavailable,
  ssh_handshake_failed: exitCodes.unavailable,
  ssh_authentication_failed: exitCodes.unavailable,
  ssh_connection_lost: exitCodes.unavailable,
  ssh_channel_refused: exitCodes.unavailable,
  host_key_changed: exitCodes.unavailable,
  host_key_unknown: exitCodes.unavailable,
  host_key_revoked: exitCodes.unavailable,
  host_key_not_recorded: exitCodes.unavailable,
  script_failed: exitCodes.failure,
  remote_unexpected: exitCodes.unavailable,
  file_failed: exitCodes.failure,
  gui_blocked: exitCodes.failure,
  http_unreachable: exitCodes.unavailable,
  http_unexpected: exitCodes.unavailable,
  playwright_missing: exitCodes.unavailable,
  playwright_refused: exitCodes.unavailable,
  version_mismatch: exitCodes.unavailable,
  flow_failed: exitCodes.failure,
  remote_failed: exitCodes.failure,
  aloha_failed: exitCodes.failure,
  hatchet_unreachable: exitCodes.unavailable,
  hatchet_refused: exitCodes.unavailable,
  hatchet_failed: exitCodes.failure,
  container_failed: exitCodes.unavailable,
  artifact_refused: exitCodes.failure,
  job_unknown: exitCodes.failure,
  job_state: exitCodes.failure,
  job_lost: exitCodes.failure,
  cancelled: exitCodes.failure,
  store_newer: exitCodes.usage,
  store_failed: exitCodes.failure,
  timeout: exitCodes.timeout,
  interrupted: exitCodes.interrupted,
  terminated: exitCodes.terminated,
  internal: exitCodes.failure,
};

/** The exit code for anything that was thrown; 1 for what is not an `AutomationError`. */
export function exitCodeOf(error: unknown): number {
  return error instanceof AutomationError ? exitCodeByErrorCode[error.code] : exitCodes.failure;
}

/** Of several exit codes the one that a caller should see: interruption, then unavailable, timeout, usage, failure. */
export function worstExitCode(codes: readonly number[]): number {
  const order: readonly number[] = [
    exitCodes.success,
    exitCodes.failure,
    exitCodes.usage,
    exitCodes.timeout,
    exitCodes.unavailable,
    exitCodes.interrupted,
    exitCodes.terminated,
  ];
  const rank = (code: number) => order.indexOf(code);
  return codes.reduce((worst, code) => (rank(code) > rank(worst) ? code : worst), exitCodes.success as number);
}
