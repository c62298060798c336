import { readSmallFile } from '../../config/file.ts';
import { Deadline } from '../../core/deadline.ts';
import { ProblemsError } from '../../core/errors.ts';
import { exitCodes } from '../../core/exit-codes.ts';
import { bootstrapRequest, bootstrapScript } from '../../windows/bootstrap.ts';
import { defineAction } from '../command.ts';
import { openHost } from './open-host.ts';

export default defineAction({
  name: 'bootstrap',
  description: 'Prints the script that makes a fresh Windows ready; with --apply runs it over SSH',
  examples: ['windows bootstrap --key ~/.ssh/id_ed25519.pub > bootstrap.ps1', 'windows bootstrap --apply'],
  args: {
    apply: { type: 'boolean', description: 'run it on the host instead of printing it' },
    key: { type: 'string', valueHint: 'FILE', description: 'a public key to put into administrators_authorized_keys' },
    'remote-address': { type: 'string', valueHint: 'ADDRESS', description: 'who may reach the ports (default: Any)' },
  },
  run: async (invocation, args) => {
    const { output } = invocation;
    const key = args.key === undefined ? '' : readSmallFile(args.key, '--key').trim();
    if (key !== '' && !/^(ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/=]+( [^\r\n]*)?$/.test(key)) {
      throw new ProblemsError('usage', [`--key ${args.key}: not one public key`]);
    }
    const request = bootstrapRequest(key, args['remote-address'] ?? 'Any');
    if (!args.apply) {
      await output.text(bootstrapScript(request));
      return exitCodes.success;
    }
    const session = await invocation.open();
    using deadline = new Deadline(session.loaded.config.hatchet.job_timeout, 'the bootstrap', invocation.signal);
    await using host = openHost(session);
    const { steps } = await host.script('bootstrap', request, { signal: deadline.signal });
    const hasFailed = steps.some(({ state }) => state === 'failed');
    const state = hasFailed ? 'failed' : 'completed';
    if (output.isJson) await output.payload({}, { state, host: session.host, steps });
    else for (const step of steps) await output.payload(step, undefined);
    return hasFailed ? exitCodes.failure : exitCodes.success;
  },
});
