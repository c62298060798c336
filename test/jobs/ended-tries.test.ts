import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AttemptEnd } from '../../src/jobs/attempt.ts';
import { EndedTries } from '../../src/jobs/engines/hatchet/ended-tries.ts';

const end: AttemptEnd = { state: 'completed', result: { a: 1 }, error: undefined, isRetryable: false };

describe('how a try ended', () => {
  const ended = () => {
    const tries = new EndedTries();
    tries.add('task', end);
    return tries;
  };

  it('is in doubt until Hatchet has heard of it', () => {
    const tries = ended();
    assert.equal(tries.endInDoubt('task'), end);
    tries.heard('task', true);
    assert.equal(tries.endInDoubt('task'), undefined);
    assert.equal(tries.endInDoubt('another'), undefined);
  });

  it('is in doubt again where trouble follows at once', () => {
    const tries = ended();
    tries.heard('task', true);
    tries.trouble();
    assert.equal(tries.endInDoubt('task'), end);
  });

  it('stays in doubt where it was heard late, or after trouble', () => {
    const late = ended();
    late.heard('task', false);
    assert.equal(late.endInDoubt('task'), end);
    const troubled = new EndedTries();
    troubled.trouble();
    troubled.add('task', end);
    troubled.heard('task', true);
    assert.equal(troubled.endInDoubt('task'), end);
  });

  it('of a new try under the same id is in doubt by itself', () => {
    const tries = ended();
    tries.heard('task', true);
    const second = { ...end, result: { a: 2 } };
    tries.add('task', second);
    assert.equal(tries.endInDoubt('task'), second);
  });
});
