import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { durationFlag, formatDuration, milliseconds, parseDuration } from '../../src/core/duration.ts';

describe('durations', () => {
  for (const [text, ms] of [
    ['500ms', 500],
    ['30s', 30_000],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['1m30s', 90_000],
    ['1h2m3s4ms', 3_723_004],
    ['0s', 0],
  ] as const) {
    it(`reads ${text} as ${ms} ms`, () => assert.equal(parseDuration(text), ms));
  }

  for (const text of ['10', '', 's', '1.5s', '-1s', '1 s', '1s1m', '1s1s', '1S', '1sec', '99999999999999999999h']) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseDuration(text), undefined));
  }

  it('writes what it reads back as the same time', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000_000_000 }), (ms) => {
        assert.equal(parseDuration(formatDuration(milliseconds(ms))), ms);
      }),
    );
  });

  it('names the flag and the value it refuses', () => {
    assert.throws(() => durationFlag('timeout', '10'), {
      code: 'usage',
      message: /^--timeout 10: not a duration such as/,
    });
  });
});
