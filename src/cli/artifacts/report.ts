import { join } from 'node:path';
import { requireJobId } from '../../artifacts/job-id.ts';
import { renderReport } from '../../artifacts/report.ts';
import { requireManifest, verifyArtifacts } from '../../artifacts/verify.ts';
import { replaceFile } from '../../config/replace-file.ts';
import { AutomationError, messageOf } from '../../core/errors.ts';
import { defineAction } from '../command.ts';
import { jobFlag } from './job-flag.ts';

export default defineAction({
  name: 'report',
  description: 'Writes one self-contained page about a job: input, times, outputs, screenshots, hashes',
  examples: ['artifacts report --job ID', 'artifacts report --job ID --out report.html'],
  args: { ...jobFlag, out: { type: 'string', valueHint: 'FILE', description: 'the page (default: <job id>.html)' } },
  run: async ({ open, output, signal }, args) => {
    requireJobId(args.job);
    const { loaded } = await open();
    const { dir, manifest } = await requireManifest(loaded.config.artifacts.out_dir, args.job);
    const page = await renderReport(dir, manifest, await verifyArtifacts(dir, manifest, signal));
    const path = args.out ?? join('.', `${args.job}.html`);
    try {
      await replaceFile(path, page);
    } catch (error) {
      throw new AutomationError('io_failed', `${path}: ${messageOf(error)}`);
    }
    const payload = { state: 'written', job_id: args.job, path, size_bytes: Buffer.byteLength(page) };
    await output.payload(payload, payload);
    return 0;
  },
});
