import { readFileSync, statSync } from 'node:fs';
import * as v from 'valibot';
import { sleep } from '../core/deadline.ts';
import { messageOf } from '../core/errors.ts';
import { warmCommandLine, warmFirstLine } from '../windows/powershell/command-line.ts';
import { decodeArgument } from '../windows/powershell/compose.ts';
import type { ContractName } from '../windows/powershell/contracts.ts';
import { scripts } from '../windows/powershell/scripts.ts';
import { handleScript, type ScriptContext } from './handlers.ts';
import { localPath } from './paths.ts';
import type { Terminal } from './terminal.ts';
import { serveWarm } from './warm-host.ts';

const helpers = [
  'argument',
  'environment',
  'host',
  'hostProcesses',
  'loader',
  'objects',
  'parameters',
  'run',
  'runCmd',
];
const contractScripts = Object.entries(scripts).filter(([name]) => !helpers.includes(name)) as [ContractName, string][];
const warmText = decodeCommand(warmCommandLine.split(' ').at(-1) ?? '');

/** Thrown by a script that says `exit`. */
class Exit extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

export interface PowershellRun extends ScriptContext {
  readonly terminal: Terminal;
}

/** Runs powershell.exe with its arguments, as far as the lab knows PowerShell. @returns the exit code */
export async function runPowershell(args: readonly string[], run: PowershellRun): Promise<number> {
  if (run.state.powershellStartMs > 0) await sleep(run.state.powershellStartMs, run.process.killed.signal);
  const text = programText(args, run);
  try {
    if (text === warmText) return await serveWarm(run, runKnownScript, warmFirstLine);
    return await runText(isLoader(text) ? await loadText(run) : text, run);
  } catch (error) {
    if (error instanceof Exit) return error.exitCode;
    run.process.killed.signal.throwIfAborted();
    run.terminal.err(`Exception: ${messageOf(error)}\r\n`);
    return 1;
  }
}

/** The loader of `command-line.ts` begins like this; the text that it runs comes on standard input, as a line of base64. */
const isLoader = (text: string) => text.startsWith('. ([ScriptBlock]::Create((& {');

async function loadText({ terminal }: PowershellRun): Promise<string> {
  const { value = '' } = await terminal.lines.next();
  return Buffer.from(value, 'base64').toString('utf8');
}

async function runText(text: string, run: PowershellRun): Promise<number> {
  const argument = argumentOf(text);
  if (text.includes(scripts.run.trimEnd()))
    return runForUser(v.parse(requestSchema, decodeArgument(argument)), text, run);
  if (text.includes(scripts.runCmd.trimEnd())) {
    const { command } = v.parse(cmdRequestSchema, decodeArgument(argument));
    return runProgram(command, run);
  }
  const known = knownScript(text);
  if (known === undefined) return interpret(text, {}, run);
  run.terminal.out(await handleScript(known, argument, run));
  return 0;
}

const cmdRequestSchema = v.object({ command: v.string() });
const requestSchema = v.object({
  text: v.string(),
  parameters: v.record(v.string(), v.unknown()),
  env: v.record(v.string(), v.string()),
});

/** What run.ps1 does. Of `--cwd` the lab knows nothing; a variable of `--env` is to be had as `$env:NAME`. */
function runForUser(
  request: v.InferOutput<typeof requestSchema>,
  composed: string,
  run: PowershellRun,
): Promise<number> {
  const variables = Object.entries(request.env).map(([name, value]) => [`env:${name}`, value]);
  const values = { ...request.parameters, ...Object.fromEntries(variables) };
  const mark = /Write-ObjectRecord -Depth \d+ -Mark '([^']*)'/.exec(composed)?.[1];
  return interpret(
    request.text,
    values,
    mark === undefined ? run : { ...run, terminal: recordsOf(run.terminal, mark) },
  );
}

/** Each line that is printed as a record of objects.ps1. */
function recordsOf(terminal: Terminal, mark: string): Terminal {
  const out = (text: string) => {
    for (const line of text.split(/\r?\n/).filter((one) => one !== '')) {
      terminal.out(`\x1e${mark} ${JSON.stringify({ stream: 'output', type: 'System.String', value: line })}\n`);
    }
  };
  return { ...terminal, out };
}

/** Runs a command line of cmd.exe below this PowerShell. */
async function runProgram(commandLine: string, { state, process, terminal }: PowershellRun): Promise<number> {
  const { runCommandLine } = await import('./shell.ts');
  return runCommandLine(state, process, commandLine, terminal);
}

/** Runs a script of ours by its text, as the logged-on session does. @returns what it prints */
export function runKnownScript(text: string, argument: string, context: ScriptContext): Promise<string> {
  const known = knownScript(text);
  if (known === undefined) throw new Error('the lab does not know that script');
  return handleScript(known, argument, context);
}

/** Which script of ours stands in a composed text. */
function knownScript(text: string): ContractName | undefined {
  return contractScripts.find(([, script]) => text.includes(script.trimEnd()))?.[0];
}

function programText(args: readonly string[], { state }: PowershellRun): string {
  const after = (flag: string) => {
    const index = args.findIndex((word) => word.toLowerCase() === flag);
    return index === -1 ? undefined : args.slice(index + 1);
  };
  const encoded = after('-encodedcommand')?.[0];
  if (encoded !== undefined) return decodeCommand(encoded);
  const file = after('-file')?.[0];
  if (file !== undefined) return readFileSync(localPath(state, file), 'utf8').replace(/^\uFEFF/, '');
  return (after('-command') ?? after('-c') ?? args.filter((word) => !/^-no(profile|ninteractive)$/i.test(word))).join(
    ' ',
  );
}

function decodeCommand(encoded: string): string {
  return Buffer.from(encoded, 'base64').toString('utf16le');
}

/** The base64 argument that a composed text ends with, or that stands in its last call. */
function argumentOf(text: string): string {
  return [...text.matchAll(/^\} (?:\$WinAutomationRun )?'([A-Za-z0-9+/=]*)'$/gm)].at(-1)?.[1] ?? '';
}

/** The few words of PowerShell that people try first. Anything else is answered as PowerShell answers what it can't find. */
async function interpret(
  text: string,
  parameters: Readonly<Record<string, unknown>>,
  run: PowershellRun,
): Promise<number> {
  for (const line of text.split(/\r?\n|;(?=(?:[^'"]|'[^']*'|"[^"]*")*$)/)) {
    const statement = line.trim();
    if (statement === '' || statement.startsWith('#') || /^param\s*\(/i.test(statement)) continue;
    await execute(statement, parameters, run);
  }
  return 0;
}

async function execute(
  statement: string,
  parameters: Readonly<Record<string, unknown>>,
  run: PowershellRun,
): Promise<void> {
  const { state, terminal, process } = run;
  const print = (text: string) => terminal.out(`${text}\r\n`);
  const conditional = /^if \((-not )?\(?Test-Path (?:-LiteralPath )?'?([^')]+)'?\)?\) \{ (.*) \}$/i.exec(statement);
  if (conditional) {
    const exists = statSync(localPath(state, conditional[2] ?? ''), { throwIfNoEntry: false }) !== undefined;
    if (exists !== (conditional[1] !== undefined)) await execute(conditional[3] ?? '', parameters, run);
    return;
  }
  const [word = '', ...rest] = statement.split(/\s+/);
  const tail = statement.slice(word.length).trim();
  switch (word.toLowerCase()) {
    case 'exit':
      throw new Exit(Number(rest[0] ?? 0));
    case 'throw':
      throw new Error(expand(tail, parameters, state.hostname));
    case 'write-output':
    case 'echo':
      return print(expand(tail, parameters, state.hostname));
    case 'get-date':
      return print(new Date().toString());
    case 'hostname':
      return print(state.hostname);
    case 'whoami':
      return print(state.user.toLowerCase());
    case 'start-sleep': {
      const isMs = /-m/i.test(rest[0] ?? '');
      return sleep(Number(rest.at(-1)) * (isMs ? 1 : 1_000), process.killed.signal);
    }
    case 'ping':
      return void (await runProgram(statement, run));
    default:
      if (/^['"$]/.test(statement)) return print(expand(statement, parameters, state.hostname));
      terminal.note(`the lab does not know: ${statement}`);
      throw new Error(
        `${word} : The term '${word}' is not recognized as the name of a cmdlet, function, script file, or operable program.`,
      );
  }
}

/** What a string gives: `$Name` and `$env:COMPUTERNAME` inside double quotes or bare, nothing inside single quotes. */
function expand(text: string, parameters: Readonly<Record<string, unknown>>, hostname: string): string {
  if (/^'.*'$/.test(text)) return text.slice(1, -1).replaceAll("''", "'");
  const inner = /^".*"$/.test(text) ? text.slice(1, -1) : text;
  return inner
    .replace(/\$env:COMPUTERNAME/gi, hostname)
    .replace(/\$((?:env:)?[A-Za-z_]\w*)/gi, (_whole, name: string) => {
      const key = Object.keys(parameters).find((known) => known.toLowerCase() === name.toLowerCase());
      return key === undefined ? '' : String(parameters[key] ?? '');
    });
}
