import process from 'node:process';
import { runCommand } from 'citty';
import { AutomationError, messageOf, ProblemsError, systemCodeOf } from '../core/errors.ts';
import { exitCodeOf, exitCodes } from '../core/exit-codes.ts';
import { checkArguments, flagValues, type ResolvedCommand, resolveCommand } from './arguments.ts';
import { createInvocation, type GlobalFlags, type Invocation } from './invocation.ts';
import { program } from './program.ts';

/**
 * Finds and runs the command that a command line means, and reports what goes wrong.
 *
 * @returns the exit code
 */
export async function dispatch(argv: readonly string[]): Promise<number> {
  // A reader that went away (`| head`) is told by the failing write; without a listener it would end the process.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  let invocation = createInvocation(['win-automation'], { json: argv.includes('--json') });
  try {
    const resolved = await resolveCommand(program, argv);
    if (isHelp(resolved)) return await showHelp(resolved, invocation);
    checkArguments(resolved);
    invocation = createInvocation(resolved.path, flagsOf(resolved.args), resolved.args, resolved.words);
    // Without its subcommands, which `resolveCommand` has dealt with.
    const { subCommands: _, ...command } = resolved.command;
    const { result } = await runCommand(command, { rawArgs: [...resolved.args], data: invocation });
    return typeof result === 'number' ? result : exitCodes.success;
  } catch (thrown) {
    return await report(asOurs(thrown), invocation);
  }
}

const isHelp = ({ args, command }: ResolvedCommand) =>
  args.includes('--help') || args.includes('-h') || command.run === undefined;

/** A group without a command shows its help: on standard error and as a usage error, unless it was asked for. */
async function showHelp(resolved: ResolvedCommand, { output }: Invocation): Promise<number> {
  const { renderHelp } = await import('./help.ts');
  const wasAsked = resolved.args.includes('--help') || resolved.args.includes('-h');
  if (!wasAsked) checkArguments(resolved);
  const help = await renderHelp(resolved, wasAsked && output.isTerminal);
  if (wasAsked) await output.text(help);
  else process.stderr.write(help);
  return wasAsked ? exitCodes.success : exitCodes.usage;
}

function flagsOf(args: readonly string[]): GlobalFlags {
  const given = (name: string) => flagValues(args, name).at(-1);
  const has = (name: string) => args.includes(`--${name}`);
  return {
    config: given('config'),
    host: given('host'),
    json: has('json'),
    quiet: has('quiet'),
    verbose: has('verbose'),
  };
}

function asOurs(thrown: unknown): unknown {
  const isCitty = thrown instanceof Error && thrown.name === 'CLIError';
  if (isCitty) return new AutomationError('usage', messageOf(thrown));
  if (systemCodeOf(thrown) === 'EPIPE') return new AutomationError('io_failed', 'nobody reads our output any more');
  return thrown;
}

/** Logs an error, a line a problem; with `--json` it is the payload as well, unless the command line itself was wrong. */
async function report(error: unknown, { op, logger, output }: Invocation): Promise<number> {
  const log = logger();
  const exitCode = exitCodeOf(error);
  const code = error instanceof AutomationError ? error.code : 'internal';
  const hint = error instanceof AutomationError ? error.hint : undefined;
  const fields = error instanceof AutomationError ? error.fields : {};
  const messages = error instanceof ProblemsError ? error.problems : [messageOf(error)];
  for (const message of messages) log.error(op, message, { code, hint, ...fields });
  if (code === 'internal' && error instanceof Error) log.debug(op, 'where it happened', { stack: error.stack });
  if (output.isJson && exitCode !== exitCodes.usage) {
    await output.payload({}, { state: 'error', error: { code, message: messageOf(error), hint: hint ?? null } });
  }
  return exitCode;
}
