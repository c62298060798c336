import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AutomationError } from '../../src/core/errors.ts';
import { hatchetFailure } from '../../src/hatchet/failure.ts';

const grpc = (text: string) => new Error(`/WorkflowService/TriggerWorkflow ${text}`);
const rest = (status: number) =>
  Object.assign(new Error('Request failed'), { response: { status, data: { message: 'no' } } });

describe('a failure of Hatchet', () => {
  for (const [what, thrown, code, isTransient] of [
    ['gRPC UNAUTHENTICATED', grpc('UNAUTHENTICATED: invalid token'), 'hatchet_refused', false],
    ['gRPC PERMISSION_DENIED', grpc('PERMISSION_DENIED: no'), 'hatchet_refused', false],
    [
      'a refused connection',
      grpc('UNAVAILABLE: No connection established. Last error: ECONNREFUSED'),
      'hatchet_unreachable',
      true,
    ],
    ['a connection lost half way', grpc('UNAVAILABLE: Connection dropped'), 'hatchet_unreachable', false],
    ['gRPC DEADLINE_EXCEEDED', grpc('DEADLINE_EXCEEDED: too slow'), 'timeout', false],
    ['gRPC INTERNAL', grpc('INTERNAL: An internal error occurred.'), 'hatchet_failed', false],
    ['HTTP 401', rest(401), 'hatchet_refused', false],
    ['HTTP 403', rest(403), 'hatchet_refused', false],
    ['HTTP 503', rest(503), 'hatchet_unreachable', true],
    ['HTTP 500', rest(500), 'hatchet_failed', true],
    ['HTTP 400', rest(400), 'hatchet_failed', false],
    [
      'HTTP 400 that the SDK wrapped',
      new Error('[{"description":"no"}]', { cause: rest(400) }),
      'hatchet_failed',
      false,
    ],
    ['a network error', new Error('connect ECONNREFUSED 127.0.0.1:1'), 'hatchet_unreachable', true],
  ] as const) {
    it(`of ${what} is ${code}`, () => {
      const failure = hatchetFailure(thrown, 'http://h');
      assert.deepEqual([failure.code, failure.isTransient], [code, isTransient]);
      assert.match(failure.message, /http:\/\/h/);
    });
  }

  it('that is one of ours already stays as it is', () => {
    const ours = new AutomationError('timeout', 'x');
    assert.equal(hatchetFailure(ours, 'h'), ours);
  });
});
