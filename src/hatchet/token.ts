import * as v from 'valibot';
import { AutomationError } from '../core/errors.ts';

/** What a Hatchet token says of itself; it is a JWT (RFC 7519), whose signature only the server can check. */
const claimsSchema = v.object({
  sub: v.pipe(v.string(), v.uuid()),
  exp: v.optional(v.number()),
});

export interface TokenClaims {
  readonly tenantId: string;
  /** When it stops to be taken; undefined where it says nothing. */
  readonly expiresAt: Date | undefined;
}

const hint = 'make one with hatchet-admin token create, or let win-automation hatchet up do it';

/**
 * Reads what a token says of its tenant and its end. Nothing of the token goes into an error.
 *
 * @throws AutomationError `hatchet_refused` where it is no token of Hatchet's, or is over
 */
export function readToken(token: string, now: Date): TokenClaims {
  const claims = v.safeParse(claimsSchema, payloadOf(token));
  if (!claims.success) throw new AutomationError('hatchet_refused', "the token is not one of Hatchet's", { hint });
  const { sub, exp } = claims.output;
  const expiresAt = exp === undefined ? undefined : new Date(exp * 1_000);
  if (expiresAt !== undefined && expiresAt <= now) {
    throw new AutomationError('hatchet_refused', `the token of Hatchet ended at ${expiresAt.toISOString()}`, { hint });
  }
  return { tenantId: sub, expiresAt };
}

function payloadOf(token: string): unknown {
  const [, payload, , ...more] = token.split('.');
  if (payload === undefined || more.length > 0) return undefined;
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    // Whatever is in there is not shown: it may be another secret, put there by mistake.
    return undefined;
  }
}
