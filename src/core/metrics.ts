/** The worker's metrics (context.md, "Metrics"): these names never change. */
export const metricNames = [
  'jobs_enqueued_total',
  'jobs_completed_total',
  'jobs_failed_total',
  'jobs_cancelled_total',
  'playwright_sessions_total',
  'aloha_runs_total',
] as const;
export type MetricName = (typeof metricNames)[number];

/** Counters in memory; they begin at 0 with the process. */
export class Metrics {
  readonly #values = new Map<MetricName, number>(metricNames.map((name) => [name, 0]));

  add(name: MetricName, amount = 1): void {
    this.#values.set(name, (this.#values.get(name) ?? 0) + amount);
  }

  set(name: MetricName, value: number): void {
    this.#values.set(name, value);
  }

  get(name: MetricName): number {
    return this.#values.get(name) ?? 0;
  }
}

/** `metric=<name> value=<n> ts=<RFC3339>`, a line each (context.md, "Metrics"). */
export function metricLines(metrics: Metrics, now: Date): string {
  return metricNames.map((name) => `metric=${name} value=${metrics.get(name)} ts=${now.toISOString()}\n`).join('');
}

/** The same as Prometheus reads it (prometheus.io, "Exposition formats"). */
export function prometheusText(metrics: Metrics): string {
  return metricNames
    .map((name) => `# TYPE win_automation_${name} counter\nwin_automation_${name} ${metrics.get(name)}\n`)
    .join('');
}
