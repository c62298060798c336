import { join } from 'node:path';
import type { Config } from '../config/sections.ts';

/** The SQLite file of the local engine. */
export const storePath = ({ jobs, state_dir }: Pick<Config, 'jobs' | 'state_dir'>): string =>
  jobs.store ?? join(state_dir, 'jobs.sqlite');
