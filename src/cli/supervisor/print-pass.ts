import type { PassResult } from '../../supervisor/pass.ts';
import type { Output } from '../output.ts';

/** Prints one pass: a line a component, then the whole. With `--json`, one document. */
export async function printPass(result: PassResult, output: Output): Promise<void> {
  const { host, state, components, repaired, durationMs } = result;
  const summary = { state, host, repaired, duration_ms: durationMs };
  const lines = components.map(({ verdict, breaker, remedy, changes }) => ({
    component: verdict.component,
    state: verdict.state,
    reason: verdict.reason,
    breaker,
    remedy,
    changes: changes.join('; '),
    detail: verdict.detail,
  }));
  if (!output.isJson) for (const line of lines) await output.payload(line, undefined);
  await output.payload(summary, { ...summary, components: lines });
}
