import * as v from 'valibot';
import { defineJobType } from '../../src/jobs/job-type.ts';

/** A job that does nothing: what is left is the engine's own work, and a folder of artifacts. */
export const noop = defineJobType({
  name: 'noop',
  description: 'nothing',
  isGui: false,
  needsHost: false,
  input: v.unknown(),
  run: async () => ({ isSuccess: true, result: { state: 'completed' } }),
});
