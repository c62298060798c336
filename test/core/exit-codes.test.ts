import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AutomationError, type ErrorCode } from '../../src/core/errors.ts';
import { exitCodeOf, worstExitCode } from '../../src/core/exit-codes.ts';

describe('exit codes', () => {
  for (const [code, exitCode] of [
    ['usage', 2],
    ['config_invalid', 2],
    ['ssh_unreachable', 3],
    ['ssh_authentication_failed', 3],
    ['host_key_changed', 3],
    ['timeout', 4],
    ['interrupted', 130],
    ['terminated', 143],
    ['internal', 1],
  ] as const satisfies [ErrorCode, number][]) {
    it(`end with ${exitCode} for ${code}`, () => assert.equal(exitCodeOf(new AutomationError(code, 'x')), exitCode));
  }

  it('end with 1 for what nobody foresaw', () => assert.equal(exitCodeOf(new TypeError('x')), 1));

  it('are the worst of several', () => {
    assert.equal(worstExitCode([]), 0);
    assert.equal(worstExitCode([0, 1, 0]), 1);
    assert.equal(worstExitCode([1, 4, 3]), 3);
    assert.equal(worstExitCode([3, 130]), 130);
  });
});
