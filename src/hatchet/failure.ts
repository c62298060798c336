import * as v from 'valibot';
import { AutomationError, messageOf } from '../core/errors.ts';

/** An answer of the REST API, as axios throws it. */
const restFailureSchema = v.object({
  response: v.object({ status: v.number(), data: v.optional(v.unknown()) }),
});

/** The SDK keeps of a gRPC failure only this sentence: `/WorkflowService/TriggerWorkflow UNAVAILABLE: …`. */
const grpcPattern = /^(?:.*?)(\/\S+) ([A-Z_]+): ([\s\S]*)$/;

const tokenHint = 'set WIN_AUTOMATION_HATCHET_TOKEN to a token of this server';

/** The status that the REST API answered with, where an error of the SDK's is such an answer. */
export function httpStatusOf(thrown: unknown): number | undefined {
  const rest = v.safeParse(restFailureSchema, thrown);
  return rest.success ? rest.output.response.status : undefined;
}

/**
 * What went wrong with Hatchet, as an error of ours.
 *
 * @param thrown what the SDK threw
 * @param where the address that was asked
 */
export function hatchetFailure(thrown: unknown, where: string): AutomationError {
  if (thrown instanceof AutomationError) return thrown;
  const message = messageOf(thrown);
  // Some calls of the SDK wrap it in an error of their own.
  const wrapped = thrown instanceof Error ? thrown.cause : undefined;
  const rest = [thrown, wrapped].map((one) => v.safeParse(restFailureSchema, one)).find(({ success }) => success);
  if (rest?.success) return restFailure(rest.output.response.status, rest.output.response.data, where, thrown);
  const [, , status, detail] = grpcPattern.exec(message) ?? [];
  if (status !== undefined && detail !== undefined) return grpcFailure(status, detail, where, thrown);
  return new AutomationError('hatchet_unreachable', `Hatchet at ${where} can't be reached: ${message}`, {
    hint: 'win-automation hatchet status tells more',
    isTransient: true,
    cause: thrown,
  });
}

function restFailure(status: number, data: unknown, where: string, cause: unknown): AutomationError {
  if (status === 401 || status === 403) {
    return new AutomationError('hatchet_refused', `Hatchet at ${where} refuses the token (${status})`, {
      hint: tokenHint,
      cause,
    });
  }
  // A server that has just come up, or has lost its database for a moment, answers 500.
  const isTransient = status >= 500;
  const text = data === undefined ? '' : `: ${JSON.stringify(data).slice(0, 300)}`;
  return new AutomationError(
    status >= 502 && status <= 504 ? 'hatchet_unreachable' : 'hatchet_failed',
    `Hatchet at ${where} answers ${status}${text}`,
    { isTransient, cause },
  );
}

function grpcFailure(status: string, detail: string, where: string, cause: unknown): AutomationError {
  if (status === 'UNAUTHENTICATED' || status === 'PERMISSION_DENIED') {
    return new AutomationError('hatchet_refused', `Hatchet at ${where} refuses the token: ${detail}`, {
      hint: tokenHint,
      cause,
    });
  }
  if (status === 'UNAVAILABLE' || status === 'CANCELLED' || status === 'ABORTED') {
    return new AutomationError('hatchet_unreachable', `Hatchet at ${where} can't be reached: ${detail}`, {
      hint: 'check hatchet.grpc_address and hatchet.tls_strategy; win-automation hatchet status tells more',
      // Where no connection came about, nothing can have been begun.
      isTransient: /ECONNREFUSED|No connection established|name resolution/i.test(detail),
      cause,
    });
  }
  if (status === 'DEADLINE_EXCEEDED')
    return new AutomationError('timeout', `Hatchet at ${where}: ${detail}`, { cause });
  return new AutomationError('hatchet_failed', `Hatchet at ${where} answers ${status}: ${detail}`, { cause });
}
