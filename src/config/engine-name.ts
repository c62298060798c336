import type { LoadedConfig } from './load.ts';

/** Who runs jobs under this configuration: `auto` is Hatchet where a token is known. */
export function engineNameOf({ config, secrets }: LoadedConfig): 'local' | 'hatchet' {
  const { engine } = config.jobs;
  if (engine !== 'auto') return engine;
  return secrets.hatchetToken === undefined ? 'local' : 'hatchet';
}
