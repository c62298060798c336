import { executeScript } from '../../windows/exec.ts';
import { flagValues } from '../arguments.ts';
import { defineAction } from '../command.ts';
import { fleetFlags, onHosts } from '../fleet.ts';
import { idempotentCheckOf } from '../idempotent.ts';
import type { Invocation } from '../invocation.ts';
import { parseParameters, withoutUndefined } from '../job-input.ts';
import { foldersBeside, packBeside } from './beside.ts';
import { type ExecutionArgs, executionFlags, refuseRawOnMany, runExecution } from './execution.ts';
import { allVariables, type RunSettings, runInput, runSettings } from './run-flags.ts';
import { readScript } from './script-file.ts';

export default defineAction({
  name: 'script',
  description: 'Runs a PowerShell script of this machine on Windows, with named parameters',
  examples: [
    'windows script restart-app.ps1',
    'windows script set-user.ps1 --param Name=ada --param Group=staff --param Group=admins --param Force',
    'windows script deploy.ps1 --with ./modules --cwd "C:\\inetpub" --env-file deploy.env',
    'windows script inventory.ps1 --objects',
  ],
  args: {
    file: { type: 'positional', description: 'a .ps1 file of this machine', required: true },
    param: {
      type: 'string',
      valueHint: 'NAME[=VALUE]',
      description: 'a parameter of the script; a name alone is true, one given again is a list, JSON fills a hashtable',
    },
    with: {
      type: 'string',
      valueHint: 'DIR',
      description: 'a folder of this machine that is beside the script for the run; may be given again',
    },
    ...executionFlags,
    ...fleetFlags,
  },
  run: async (given, args) => {
    refuseRawOnMany(args);
    const settings = runSettings(args, given.args);
    const parameters = parseParameters(flagValues(given.args, 'param'));
    const script = readScript(args.file);
    const beside = await foldersBeside(flagValues(given.args, 'with'));
    return onHosts(given, args, async (invocation) => {
      if (args.artifacts) return scriptWithArtifacts(invocation, args, settings, { script, parameters, beside });
      const { cwd, errorAction, objectDepth, objectMark, drainMs } = settings;
      const what = { script: script.text, name: script.name, parameters, beside };
      const how = { cwd, env: allVariables(settings), errorAction, objectDepth, objectMark, drainMs };
      return runExecution(invocation, args, settings, ({ host, streams, idempotentCheck, signal }) =>
        executeScript(host, { ...what, ...how, idempotentCheck, streams }, signal),
      );
    });
  },
});

interface GivenScript {
  readonly script: { readonly text: string; readonly name: string };
  readonly parameters: ReturnType<typeof parseParameters>;
  readonly beside: Awaited<ReturnType<typeof foldersBeside>>;
}

async function scriptWithArtifacts(
  invocation: Invocation,
  args: ExecutionArgs,
  settings: RunSettings,
  { script, parameters, beside }: GivenScript,
): Promise<number> {
  const [{ runWithArtifacts }, { windowsScript }] = await Promise.all([
    import('./with-artifacts.ts'),
    import('../../jobs/types/windows-script.ts'),
  ]);
  const input = withoutUndefined({
    script: script.text,
    name: script.name,
    parameters,
    with: await packBeside(beside),
    ...runInput(settings),
    idempotent_check: idempotentCheckOf(args),
  });
  return runWithArtifacts(invocation, args, settings, windowsScript, input);
}
