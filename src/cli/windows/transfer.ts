import { Deadline } from '../../core/deadline.ts';
import { durationFlag } from '../../core/duration.ts';
import type { get, Transferred } from '../../windows/files.ts';
import { type Command, defineAction } from '../command.ts';
import { fleetFlags, onHosts } from '../fleet.ts';
import { ProgressBar } from '../progress.ts';
import { openHost } from './open-host.ts';

interface TransferSpec {
  readonly name: string;
  readonly description: string;
  readonly examples: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly transfer: typeof get;
  /** Whether it makes sense on many hosts. */
  readonly isForMany: boolean;
}

/** `windows put` and `windows get`, which differ in their direction alone. */
export function defineTransfer(spec: TransferSpec): Command {
  const { name, description, examples, from, to, transfer, isForMany } = spec;
  return defineAction({
    name,
    description,
    examples,
    args: {
      from: { type: 'positional', description: from, required: true },
      to: { type: 'positional', description: to, required: true },
      recursive: { type: 'boolean', description: 'a folder and all that is in it' },
      verify: { type: 'boolean', description: 'compare SHA-256 on both sides; the size is compared always' },
      timeout: { type: 'string', valueHint: 'D', description: 'deadline of the whole (default: hatchet.job_timeout)' },
      ...(isForMany ? fleetFlags : {}),
    },
    run: async (given, args) => {
      const timeoutFlagMs = args.timeout === undefined ? undefined : durationFlag('timeout', args.timeout);
      return onHosts(given, args, async (invocation) => {
        const session = await invocation.open();
        const timeoutMs = timeoutFlagMs ?? session.loaded.config.hatchet.job_timeout;
        using deadline = new Deadline(timeoutMs, 'the transfer', invocation.signal);
        const startedMs = performance.now();
        let transferred: Transferred;
        {
          using bar = new ProgressBar(invocation.flags.quiet ?? false);
          await using host = openHost(session);
          transferred = await transfer(host, args.from, args.to, {
            isRecursive: args.recursive ?? false,
            isVerified: args.verify ?? false,
            signal: deadline.signal,
            onProgress: ({ file, doneBytes, sizeBytes }) => bar.update(file, doneBytes, sizeBytes),
          });
        }
        const payload = {
          state: 'completed',
          host: session.host,
          files: transferred.files,
          size_bytes: transferred.sizeBytes,
          verified: args.verify ? 'sha256' : 'size',
          duration_ms: Math.round(performance.now() - startedMs),
        };
        await invocation.output.payload(payload, payload);
        return 0;
      });
    },
  });
}
