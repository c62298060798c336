import { worstExitCode } from '../core/exit-codes.ts';
import { versions } from '../core/version.ts';
import { runChecks } from '../supervisor/checks.ts';
import { type Verdict, verdictWords } from '../supervisor/verdict.ts';
import { defineAction } from './command.ts';
import type { Color, Output } from './output.ts';

const colors: Readonly<Record<Verdict['state'], Color>> = { ok: 'green', failed: 'red', skipped: 'dim' };

export default defineAction({
  name: 'doctor',
  description: 'Checks SSH, Aloha, Hatchet and Playwright, and tells what to do about what is wrong',
  examples: ['doctor', 'doctor --json'],
  run: async ({ open, output, signal }) => {
    const { loaded, logger, host } = await open();
    const verdicts = await runChecks({ loaded, host, logger: logger.child('doctor'), signal });
    const exitCode = worstExitCode(verdicts.map((verdict) => verdict.exitCode));
    const summary = {
      state: verdicts.some(({ state }) => state === 'failed') ? 'failed' : 'ok',
      version: versions.version,
      hatchet_sdk_version: versions.hatchetSdk,
      playwright_version: versions.playwright,
      config: loaded.file ?? 'none',
    };
    if (output.isTerminal) await show(verdicts, output);
    else if (!output.isJson) for (const verdict of verdicts) await output.payload(verdictWords(verdict), undefined);
    await output.payload(summary, { ...summary, host, checks: verdicts.map(describe) });
    if (output.isTerminal || output.isJson) return exitCode;
    for (const { component, hints } of verdicts)
      for (const hint of hints) await output.payload({ hint: component, text: hint }, undefined);
    return exitCode;
  },
});

async function show(verdicts: readonly Verdict[], output: Output): Promise<void> {
  const rows = verdicts.map(({ component, state, durationMs, detail }) => {
    return [component, output.paint(colors[state], state), `${durationMs} ms`, detail];
  });
  await output.table(rows);
  for (const { component, hints, state } of verdicts) {
    if (state === 'failed' && hints.length > 0) await output.text(`\n${component}:\n  ${hints.join('\n  ')}\n`);
  }
}

const describe = ({ component, state, reason, detail, hints, durationMs }: Verdict) => ({
  check: component,
  state,
  reason,
  detail,
  hints,
  duration_ms: durationMs,
});
