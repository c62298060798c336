import { readdirSync } from 'node:fs';
import { loadConfig } from '../../src/config/load.ts';
import { createLogger } from '../../src/core/logger.ts';
import { runPass } from '../../src/supervisor/pass.ts';
import { emptyHostState } from '../../src/supervisor/state-file.ts';
import { WindowsHost } from '../../src/windows/host.ts';
import { sshTarget } from '../../src/windows/target.ts';
import { median } from './median.ts';

export interface PassBench {
  /** A whole pass against its slowest check, the median of all passes. */
  readonly ratio: number;
  readonly passes: number;
  /** Files and sockets open after the first hundred passes, and at the end. */
  readonly openFiles: readonly [number, number];
}

const openFiles = (): number => readdirSync('/proc/self/fd').length;

/** Runs passes one after another, each with a connection of its own, as `supervisor run` does. */
export async function benchPasses(
  env: Readonly<Record<string, string>>,
  home: string,
  passes: number,
): Promise<PassBench> {
  const loaded = await loadConfig({ env: { ...env, HOME: home } });
  const logger = createLogger({ level: 'error', redact: (text) => text, write: () => undefined, component: 'bench' });
  const ratios: number[] = [];
  let early = 0;
  for (let i = 0; i < passes; i += 1) {
    await using windows = new WindowsHost(sshTarget(loaded, 'default'), { logger, isWarm: true });
    const { result } = await runPass(emptyHostState, {
      context: { loaded, host: 'default', windows, logger, signal: AbortSignal.timeout(60_000) },
      rules: { threshold: 3, cooldownMs: loaded.config.supervisor.cooldown },
      readyTimeoutMs: 1_000,
      failpoints: new Set(),
      isDryRun: true,
      now: () => new Date(),
    });
    if (result.state !== 'healthy') throw new Error(`pass ${i} is ${result.state}`);
    ratios.push(result.durationMs / Math.max(1, ...result.components.map(({ verdict }) => verdict.durationMs)));
    if (i === 99) early = openFiles();
  }
  return { ratio: median(ratios), passes, openFiles: [early, openFiles()] };
}
