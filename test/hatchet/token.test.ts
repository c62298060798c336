import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AutomationError } from '../../src/core/errors.ts';
import { readToken } from '../../src/hatchet/token.ts';

const tenant = '707d0855-80ab-4e1f-a156-f1c4546cbf52';
const now = new Date('2026-11-24T00:00:00Z');
const tokenOf = (claims: unknown) => `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;

describe('a Hatchet token', () => {
  it('tells its tenant and its end', () => {
    const exp = now.getTime() / 1_000 + 60;
    assert.deepEqual(readToken(tokenOf({ sub: tenant, exp, other: 1 }), now), {
      tenantId: tenant,
      expiresAt: new Date('2026-11-24T00:01:00Z'),
    });
    assert.equal(readToken(tokenOf({ sub: tenant }), now).expiresAt, undefined);
  });

  it('that is over is refused with its time', () => {
    const token = tokenOf({ sub: tenant, exp: now.getTime() / 1_000 });
    assert.throws(() => readToken(token, now), /ended at 2026-11-24T00:00:00.000Z/);
  });

  it('that is anything else is refused, and nothing of it is told', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ minLength: 8 }),
          fc.json().map((json) => `x.${Buffer.from(json).toString('base64url')}.y`),
        ),
        (text) => {
          assert.throws(
            () => readToken(text, now),
            (error) =>
              error instanceof AutomationError && error.code === 'hatchet_refused' && !error.message.includes(text),
          );
        },
      ),
    );
  });
});
