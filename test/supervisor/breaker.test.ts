import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { afterPass, type Breaker, closedBreaker, modeOf } from '../../src/supervisor/breaker.ts';

const rules = { threshold: 3, cooldownMs: 60_000 };
const pass = (breaker: Breaker, isOk: boolean, atMs: number) => afterPass(breaker, isOk, rules, atMs);

describe('a breaker', () => {
  const opened = [0, 1_000, 2_000].reduce((breaker, atMs) => pass(breaker, false, atMs), closedBreaker);

  it('opens after three failed passes in a row', () => {
    assert.equal(modeOf(pass(pass(closedBreaker, false, 0), false, 1), rules, 2), 'closed');
    assert.equal(modeOf(opened, rules, 2_001), 'open');
  });
  it('is reset by a pass that succeeds', () => {
    assert.deepEqual(pass(pass(pass(closedBreaker, false, 0), false, 1), true, 2), closedBreaker);
    assert.deepEqual(pass(opened, true, 3_000), closedBreaker);
  });
  it('holds remedies for the cooldown, then lets one trial through', () => {
    assert.equal(modeOf(opened, rules, 61_999), 'open');
    assert.equal(modeOf(opened, rules, 62_000), 'half_open');
  });
  it('opens anew for a whole cooldown where the trial fails, and failed passes in between do not prolong it', () => {
    const meanwhile = pass(opened, false, 30_000);
    assert.equal(modeOf(meanwhile, rules, 62_000), 'half_open');
    const failed = pass(meanwhile, false, 62_000);
    assert.equal(modeOf(failed, rules, 121_999), 'open');
    assert.equal(modeOf(failed, rules, 122_000), 'half_open');
  });
  it('lets remedies through where the clock went back', () => {
    assert.equal(modeOf(opened, rules, -1), 'half_open');
  });
  it('is never open without as many failures in a row as the threshold', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean()), (outcomes) => {
        let [breaker, inRow] = [closedBreaker, 0];
        for (const [i, isOk] of outcomes.entries()) {
          breaker = pass(breaker, isOk, i * 1_000);
          inRow = isOk ? 0 : inRow + 1;
          assert.equal(breaker.openedMs !== null, inRow >= rules.threshold);
        }
      }),
    );
  });
});
