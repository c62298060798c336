import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { featuresOf, judgeServer } from '../../src/hatchet/compatibility.ts';

describe('the compatibility of servers with the SDK', () => {
  for (const [version, compatibility] of [
    ['v0.105.0', 'tested'],
    ['v0.105.9', 'tested'],
    ['0.105.1', 'tested'],
    ['v0.104.3', 'compatible'],
    ['v0.98.0', 'compatible'],
    ['v0.97.9', 'degraded'],
    ['v0.78.23', 'degraded'],
    ['v0.78.22', 'degraded'],
    ['v0.77.36', 'degraded'],
    ['v0.76.9', 'incompatible'],
    ['v0.1.0-alpha.0', 'incompatible'],
    ['v0.106.0', 'degraded'],
    ['v1.0.0', 'incompatible'],
    ['main', 'degraded'],
    ['', 'degraded'],
  ] as const) {
    it(`calls ${version || 'no version'} ${compatibility}`, () => {
      assert.equal(judgeServer(version).compatibility, compatibility);
      assert.notEqual(judgeServer(version).note, '');
    });
  }

  it('knows what older servers lack', () => {
    assert.deepEqual(featuresOf('v0.77.36'), { hasIdempotency: false, hasRunLabels: false });
    assert.deepEqual(featuresOf('v0.78.23'), { hasIdempotency: false, hasRunLabels: true });
    assert.deepEqual(featuresOf('v0.98.0'), { hasIdempotency: true, hasRunLabels: true });
    assert.deepEqual(featuresOf('v0.105.0'), { hasIdempotency: true, hasRunLabels: true });
  });
});
