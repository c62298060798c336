import { exitCodes } from '../../core/exit-codes.ts';
import { modeOf } from '../../supervisor/breaker.ts';
import { emptyHostState, readState, statePath } from '../../supervisor/state-file.ts';
import { components } from '../../supervisor/verdict.ts';
import { defineAction } from '../command.ts';

export default defineAction({
  name: 'status',
  description: 'The last pass, the breakers, and what was repaired when',
  examples: ['supervisor status', 'supervisor status --json'],
  run: async ({ open, output }) => {
    const { loaded, host, logger } = await open();
    const { failure_threshold, cooldown } = loaded.config.supervisor;
    const rules = { threshold: failure_threshold, cooldownMs: cooldown };
    const state = await readState(statePath(loaded.config.state_dir), logger.child('supervisor'));
    const { breakers, last_pass, history } = state.hosts[host] ?? emptyHostState;
    if (last_pass === null) {
      await output.payload({ state: 'unknown', host }, { state: 'unknown', host });
      return exitCodes.success;
    }
    const now = Date.now();
    const lines = components.map((component) => {
      const memory = breakers[component] ?? { failures: 0, openedMs: null };
      const last = last_pass.components.find((one) => one.component === component);
      return {
        component,
        state: last?.state ?? 'unknown',
        reason: last?.reason ?? '',
        breaker: modeOf(memory, rules, now),
        failures: memory.failures,
        remedy: last?.remedy ?? 'none',
      };
    });
    const summary = { state: last_pass.state, host, at: last_pass.at, duration_ms: last_pass.duration_ms };
    if (!output.isJson) {
      for (const line of lines) await output.payload(line, undefined);
      for (const event of history) await output.payload(event, undefined);
    }
    await output.payload(summary, { ...summary, components: lines, history });
    return exitCodes.success;
  },
});
