import type { Scalar } from '../core/errors.ts';
import { worstExitCode } from '../core/exit-codes.ts';
import type { Verdict } from '../supervisor/verdict.ts';
import type { Color, Output } from './output.ts';

const colors: Readonly<Record<Verdict['state'], Color>> = {
  ok: 'green',
  degraded: 'yellow',
  failed: 'red',
  skipped: 'dim',
  unknown: 'dim',
};

/** Prints verdicts: a table for a person, else a line each, and what to do about what is wrong. With `--json`, nothing. */
export async function printVerdicts(verdicts: readonly Verdict[], output: Output): Promise<void> {
  if (output.isJson) return;
  if (!output.isTerminal) {
    for (const verdict of verdicts) await output.payload(verdictWords(verdict), undefined);
    for (const { component, hints } of verdicts)
      for (const hint of hints) await output.payload({ hint: component, text: hint }, undefined);
    return;
  }
  await output.table(
    verdicts.map(({ component, state, durationMs, detail }) => {
      return [component, output.paint(colors[state], state), `${durationMs} ms`, detail];
    }),
  );
  for (const { component, hints, state } of verdicts) {
    const isWrong = state !== 'ok' && state !== 'skipped';
    if (isWrong && hints.length > 0) await output.text(`\n${component}:\n  ${hints.join('\n  ')}\n`);
  }
}

/** The same as it stands in a JSON document. */
export const verdictDocument = ({ component, state, reason, detail, hints, durationMs }: Verdict) => ({
  check: component,
  state,
  reason,
  detail,
  hints,
  duration_ms: durationMs,
});

function verdictWords({ component, state, reason, detail, durationMs }: Verdict): Record<string, Scalar> {
  return { check: component, state, reason, duration_ms: durationMs, detail };
}

/** What the worst of some verdicts ends a command with. */
export const verdictsExitCode = (verdicts: readonly Verdict[]) =>
  worstExitCode(verdicts.map(({ exitCode }) => exitCode));
