import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metrics, metricLines, prometheusText } from '../../src/core/metrics.ts';

describe('metrics', () => {
  it('are the six of the reference, in its format', () => {
    const metrics = new Metrics();
    metrics.add('jobs_failed_total');
    metrics.add('jobs_failed_total', 2);
    const lines = metricLines(metrics, new Date('2026-11-24T10:00:00.000Z')).trimEnd().split('\n');
    assert.equal(lines.length, 6);
    assert.equal(lines[0], 'metric=jobs_enqueued_total value=0 ts=2026-11-24T10:00:00.000Z');
    assert.equal(lines[2], 'metric=jobs_failed_total value=3 ts=2026-11-24T10:00:00.000Z');
  });
  it('are counters for Prometheus', () => {
    assert.match(prometheusText(new Metrics()), /^# TYPE win_automation_jobs_enqueued_total counter\n/);
  });
});
