import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { copyArtifacts } from '../../artifacts/fetch.ts';
import { requireJobId } from '../../artifacts/job-id.ts';
import { requireManifest } from '../../artifacts/verify.ts';
import { fetchFromWindows } from '../../artifacts/windows-copy.ts';
import { Deadline } from '../../core/deadline.ts';
import { AutomationError } from '../../core/errors.ts';
import { defineAction } from '../command.ts';
import { ProgressBar } from '../progress.ts';
import { openHost } from '../windows/open-host.ts';
import { jobFlag } from './job-flag.ts';

export default defineAction({
  name: 'fetch',
  description: 'Copies the artifacts of a job to a folder, every hash compared; from Windows, where only that has them',
  examples: ['artifacts fetch --job ID --out ./output'],
  args: { ...jobFlag, out: { type: 'string', valueHint: 'DIR', description: 'the folder', required: true } },
  run: async (invocation, args) => {
    requireJobId(args.job);
    const session = await invocation.open();
    const { config } = session.loaded;
    using deadline = new Deadline(config.hatchet.job_timeout, 'fetching', invocation.signal);
    using bar = new ProgressBar(invocation.flags.quiet ?? false);
    const copy = async (outDir: string, from: string) => {
      const { dir, manifest } = await requireManifest(outDir, args.job);
      const files = await copyArtifacts(dir, manifest, args.out, deadline.signal, ({ file, done, total }) =>
        bar.update(file, done, total),
      );
      const payload = { state: 'fetched', job_id: args.job, from, files, out: args.out };
      await invocation.output.payload(payload, payload);
    };
    try {
      await copy(config.artifacts.out_dir, 'here');
    } catch (error) {
      if (!(error instanceof AutomationError && error.code === 'job_unknown')) throw error;
      await using host = openHost(session);
      await mkdir(config.state_dir, { recursive: true, mode: 0o700 });
      const scratch = await mkdtemp(join(config.state_dir, 'fetch-'));
      try {
        if (!(await fetchFromWindows(host, args.job, join(scratch, args.job), deadline.signal))) throw error;
        await copy(scratch, 'windows');
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
    }
    return 0;
  },
});
