import { requireJobId } from '../../artifacts/job-id.ts';
import { requireManifest, verifyArtifacts } from '../../artifacts/verify.ts';
import { exitCodes } from '../../core/exit-codes.ts';
import { defineAction } from '../command.ts';
import { jobFlag } from './job-flag.ts';

export default defineAction({
  name: 'verify',
  description: 'Computes every hash of a job anew; exit 1 where anything is not what the manifest says',
  examples: ['artifacts verify --job ID'],
  args: jobFlag,
  run: async ({ open, output, signal }, args) => {
    requireJobId(args.job);
    const { loaded } = await open();
    const { dir, manifest } = await requireManifest(loaded.config.artifacts.out_dir, args.job);
    const verified = await verifyArtifacts(dir, manifest, signal);
    const results = verified.map(({ entry, fault }) => ({ path: entry.path, state: fault ?? 'ok' }));
    const bad = results.filter(({ state }) => state !== 'ok').length;
    const summary = { state: bad === 0 ? 'verified' : 'refused', job_id: args.job, artifacts: results.length, bad };
    if (!output.isJson) for (const one of results) await output.payload(one, undefined);
    await output.payload(summary, { ...summary, results });
    return bad === 0 ? exitCodes.success : exitCodes.failure;
  },
});
