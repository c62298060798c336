import { readSmallFile } from '../../config/file.ts';
import { executeScript } from '../../windows/exec.ts';
import { flagValues } from '../arguments.ts';
import { defineAction } from '../command.ts';
import { fleetFlags, onHosts } from '../fleet.ts';
import { idempotentCheckOf } from '../idempotent.ts';
import { parseParameters, withoutUndefined } from '../job-input.ts';
import { executionFlags, refuseRawOnMany, runExecution } from './execution.ts';

export default defineAction({
  name: 'script',
  description: 'Runs a PowerShell script of this machine on Windows, with named parameters',
  examples: ['windows script restart-app.ps1', 'windows script set-user.ps1 --param Name=ada --param Group=staff'],
  args: {
    file: { type: 'positional', description: 'a .ps1 file of this machine', required: true },
    param: { type: 'string', valueHint: 'NAME=VALUE', description: 'a parameter of the script; may be given again' },
    ...executionFlags,
    ...fleetFlags,
  },
  run: async (given, args) => {
    refuseRawOnMany(args);
    const parameters = parseParameters(flagValues(given.args, 'param'));
    const script = readSmallFile(args.file, 'script').replace(/^\uFEFF/, '');
    return onHosts(given, args, async (invocation) => {
      if (args.artifacts) {
        const [{ runWithArtifacts }, { windowsScript }] = await Promise.all([
          import('./with-artifacts.ts'),
          import('../../jobs/types/windows-script.ts'),
        ]);
        const input = withoutUndefined({ script, parameters, idempotent_check: idempotentCheckOf(args) });
        return runWithArtifacts(invocation, args, windowsScript, input);
      }
      return runExecution(invocation, args, ({ host, streams, idempotentCheck, signal }) =>
        executeScript(host, { script, parameters, idempotentCheck, streams }, signal),
      );
    });
  },
});
