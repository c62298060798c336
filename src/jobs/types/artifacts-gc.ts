import * as v from 'valibot';
import { collectGarbage } from '../../artifacts/gc.ts';
import { collectWindowsGarbage } from '../../artifacts/windows-copy.ts';
import { engineNameOf } from '../../config/engine-name.ts';
import { LocalEngine } from '../engines/local/engine.ts';
import { defineJobType } from '../job-type.ts';
import { storePath } from '../store-path.ts';

/** Removes what is past retention. */
export const artifactsGc = defineJobType({
  name: 'artifacts.gc',
  description: 'removes artifact folders that are past retention',
  isGui: false,
  needsHost: false,
  input: v.strictObject({
    days: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3_650))),
    dry_run: v.optional(v.boolean(), false),
  }),
  run: async ({ days, dry_run }, { loaded, jobId, windows, signal }) => {
    // On Hatchet no job runs for a day, which is the least retention there is.
    await using engine = engineNameOf(loaded) === 'local' ? new LocalEngine(storePath(loaded.config)) : undefined;
    const { out_dir, retention_days, mirror_to_windows } = loaded.config.artifacts;
    const options = {
      retentionDays: days ?? retention_days,
      isDryRun: dry_run,
      now: new Date(),
      isRunning: async (id: string) => id === jobId || (await engine?.get(id))?.state === 'running',
    };
    const removed = await collectGarbage({ ...options, outDir: out_dir });
    const onWindows = mirror_to_windows ? await collectWindowsGarbage(windows, options, signal) : [];
    const counts = { removed: removed.length, removed_on_windows: onWindows.length };
    return { isSuccess: true, result: { state: 'completed', dry_run, ...counts, jobs: removed } };
  },
});
