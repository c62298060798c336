import process from 'node:process';
import { versions } from '../core/version.ts';
import { defineAction } from './command.ts';

export default defineAction({
  name: 'version',
  description: 'The version of this program and of what it is built on',
  examples: ['version', 'version --json'],
  run: async ({ output }) => {
    const { version, commit, hatchetSdk, playwright, deno } = versions;
    const document = {
      version,
      commit,
      bun: process.versions['bun'] ?? null,
      deno_compat: deno,
      hatchet_sdk_version: hatchetSdk,
      playwright_version: playwright,
    };
    await output.payload(document, document);
    return 0;
  },
});
