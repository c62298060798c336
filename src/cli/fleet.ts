import { AutomationError, messageOf, ProblemsError } from '../core/errors.ts';
import { exitCodeOf, worstExitCode } from '../core/exit-codes.ts';
import { encodeWords } from '../core/words.ts';
import type { Invocation, Session } from './invocation.ts';
import { wholeNumber } from './job-input.ts';
import type { Output } from './output.ts';

const defaultParallel = 8;

/** The flags of every command that makes sense on many hosts. */
export const fleetFlags = {
  'all-hosts': { type: 'boolean', description: 'on every host of the configuration, default first' },
  parallel: { type: 'string', valueHint: 'N', description: 'hosts at a time under --all-hosts, 1 to 256 (default: 8)' },
} as const;

export interface FleetArgs {
  readonly 'all-hosts'?: boolean | undefined;
  readonly parallel?: string | undefined;
}

interface HostOutcome {
  readonly exitCode: number;
  readonly printed: string;
}

/**
 * Runs a command's work on one host, or under `--all-hosts` on every one, some at a time. What each prints comes out
 * together, in the order of the configuration, as soon as it can; one host's failure never stops another's.
 *
 * @param work is given an invocation whose `open` and `output` are those of its host
 * @returns the exit code, of several the worst
 */
export async function onHosts(
  invocation: Invocation,
  args: FleetArgs,
  work: (invocation: Invocation) => Promise<number>,
): Promise<number> {
  const parallel = parallelOf(args);
  if (!args['all-hosts']) return work(invocation);
  if (invocation.flags.host !== undefined) {
    throw new AutomationError('usage', '--host and --all-hosts do not go together');
  }
  const session = await invocation.open();
  const names = ['default', ...Object.keys(session.loaded.config.hosts)];
  const finished = names.map(() => Promise.withResolvers<HostOutcome>());
  let next = 0;
  const workThrough = async () => {
    for (let i = next++; i < names.length; i = next++) {
      const turn = Promise.withResolvers<void>();
      const outcome = onHost({ ...invocation, endTurn: turn.resolve }, session, names[i] ?? '', work);
      finished[i]?.resolve(outcome);
      await Promise.race([turn.promise, outcome]);
    }
  };
  for (let i = 0; i < parallel; i += 1) void workThrough();
  const exitCodes: number[] = [];
  for (const one of finished) {
    const { exitCode, printed } = await one.promise;
    exitCodes.push(exitCode);
    await invocation.output.text(printed);
  }
  invocation.signal.throwIfAborted();
  return worstExitCode(exitCodes);
}

function parallelOf(args: FleetArgs): number {
  const parallel = wholeNumber('parallel', args.parallel) ?? defaultParallel;
  if (parallel < 1 || parallel > 256) throw new ProblemsError('usage', [`--parallel ${args.parallel}: from 1 to 256`]);
  return parallel;
}

async function onHost(
  invocation: Invocation,
  session: Session,
  host: string,
  work: (invocation: Invocation) => Promise<number>,
): Promise<HostOutcome> {
  const printed: string[] = [];
  const output = outputOf(invocation.output, host, printed);
  const logger = session.logger.child('cli', { host });
  try {
    const exitCode = await work({ ...invocation, output, open: async () => ({ ...session, host, logger }) });
    return { exitCode, printed: printed.join('') };
  } catch (error) {
    const code = error instanceof AutomationError ? error.code : 'internal';
    const hint = error instanceof AutomationError ? error.hint : undefined;
    logger.error(invocation.op, messageOf(error), { code, hint });
    const message = messageOf(error);
    await output.payload(
      { state: 'error', code, error: message },
      { state: 'error', host, error: { code, message, hint: hint ?? null } },
    );
    return { exitCode: exitCodeOf(error), printed: printed.join('') };
  }
}

/** Collects what a host's work prints; every line says which host it is about. */
function outputOf(output: Output, host: string, printed: string[]): Output {
  const text = async (written: string) => void printed.push(written);
  return {
    ...output,
    isTerminal: false,
    text,
    payload: (words, document) =>
      text(output.isJson ? `${JSON.stringify(document)}\n` : `${encodeWords({ host, ...words })}\n`),
    table: async (rows) => text(rows.map((row) => `${row.join('  ')}\n`).join('')),
  };
}
