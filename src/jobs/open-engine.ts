import { engineNameOf } from '../config/engine-name.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Logger } from '../core/logger.ts';
import type { JobEngine } from './engine.ts';
import { storePath } from './store-path.ts';

/**
 * The engine that the configuration asks for. Each is loaded only when it is wanted: Hatchet's SDK is large.
 *
 * @param signal ends what the engine waits for
 * @throws AutomationError `store_failed`, `store_newer`; `hatchet_refused` where there is no usable token
 */
export async function openEngine(loaded: LoadedConfig, logger: Logger, signal: AbortSignal): Promise<JobEngine> {
  if (engineNameOf(loaded) === 'local') {
    const { LocalEngine } = await import('./engines/local/engine.ts');
    return new LocalEngine(storePath(loaded.config));
  }
  const { HatchetEngine } = await import('./engines/hatchet/engine.ts');
  return new HatchetEngine(loaded, logger, signal);
}
