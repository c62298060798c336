import { requireJobId } from '../../artifacts/job-id.ts';
import { requireManifest } from '../../artifacts/verify.ts';
import { defineAction } from '../command.ts';
import { jobFlag } from './job-flag.ts';

export default defineAction({
  name: 'list',
  description: 'The artifacts of a job, a line each; with --json its manifest',
  examples: ['artifacts list --job ID'],
  args: jobFlag,
  run: async ({ open, output }, args) => {
    requireJobId(args.job);
    const { loaded } = await open();
    const { manifest } = await requireManifest(loaded.config.artifacts.out_dir, args.job);
    if (output.isJson) await output.payload({}, manifest);
    else if (output.isTerminal) {
      await output.table(
        manifest.artifacts.map(({ type, path, size_bytes, sha256 }) => [type, path, `${size_bytes}`, sha256]),
      );
    } else for (const entry of manifest.artifacts) await output.payload({ job_id: args.job, ...entry }, undefined);
    return 0;
  },
});
