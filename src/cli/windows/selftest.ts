import { Deadline } from '../../core/deadline.ts';
import { exitCodes } from '../../core/exit-codes.ts';
import { runSelftest, type SelftestResult } from '../../windows/selftest.ts';
import { selftests } from '../../windows/selftests.ts';
import { defineAction } from '../command.ts';
import type { Color } from '../output.ts';
import { openHost } from './open-host.ts';

const colors: Readonly<Record<SelftestResult['state'], Color>> = { ok: 'green', failed: 'red', skipped: 'dim' };

export default defineAction({
  name: 'selftest',
  description: 'Tries every script on the real host; changes only what it makes itself, and removes that again',
  examples: ['windows selftest', 'windows selftest --json'],
  run: async (invocation) => {
    const session = await invocation.open();
    const { output } = invocation;
    using deadline = new Deadline(session.loaded.config.hatchet.job_timeout, 'the selftest', invocation.signal);
    await using warm = openHost(session, true);
    await using cold = openHost(session);
    const results: SelftestResult[] = [];
    await runSelftest(selftests, { warm, cold, signal: deadline.signal }, async (result) => {
      results.push(result);
      const { name, state, durationMs, detail } = result;
      if (output.isTerminal) await output.text(`${output.paint(colors[state], state.padEnd(8))}${name}  ${detail}\n`);
      else if (!output.isJson) await output.payload({ test: name, state, duration_ms: durationMs, detail }, undefined);
    });
    const failed = results.filter(({ state }) => state === 'failed').length;
    const summary = {
      state: failed === 0 ? 'completed' : 'failed',
      host: session.host,
      passed: results.filter(({ state }) => state === 'ok').length,
      failed,
      skipped: results.filter(({ state }) => state === 'skipped').length,
    };
    const tests = results.map(({ name, state, durationMs, detail }) => ({
      test: name,
      state,
      duration_ms: durationMs,
      detail,
    }));
    await output.payload(summary, { ...summary, tests });
    return failed === 0 ? exitCodes.success : exitCodes.failure;
  },
});
