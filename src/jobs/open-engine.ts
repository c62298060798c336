import type { LoadedConfig } from '../config/load.ts';
import { AutomationError } from '../core/errors.ts';
import { LocalEngine } from './engines/local/engine.ts';
import { storePath } from './store-path.ts';

/**
 * The engine that the configuration asks for.
 *
 * @throws AutomationError `usage` where it asks for Hatchet, which this version can't work with yet
 */
export function openEngine({ config, secrets }: LoadedConfig): LocalEngine {
  const { engine } = config.jobs;
  if (engine === 'hatchet' || (engine === 'auto' && secrets.hatchetToken !== undefined)) {
    throw new AutomationError('usage', 'jobs.engine: this version runs jobs on the local engine only', {
      hint: 'set jobs.engine to local (WIN_AUTOMATION_JOBS_ENGINE=local)',
    });
  }
  return new LocalEngine(storePath(config));
}
