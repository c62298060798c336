import { readdirSync, statSync } from 'node:fs';
import { sleep } from '../core/deadline.ts';
import { localPath } from './paths.ts';
import { runPowershell } from './powershell.ts';
import type { LabProcess, LabState } from './state.ts';
import type { Terminal } from './terminal.ts';

const errorCodeNotFound = 1;

/** Runs a command line as Windows OpenSSH does, in cmd.exe below the connection's sshd. @returns the exit code */
export async function runCommandLine(
  state: LabState,
  sshd: LabProcess,
  commandLine: string,
  terminal: Terminal,
): Promise<number> {
  const shell = state.spawn(sshd.pid, 'cmd.exe', `c:\\windows\\system32\\cmd.exe /c "${commandLine}"`);
  try {
    return await runLine(state, shell, commandLine, terminal);
  } finally {
    state.exit(shell);
  }
}

/** `a & b`, `a && b`, `a || b`, from left to right, quotes respected. */
async function runLine(state: LabState, shell: LabProcess, line: string, terminal: Terminal): Promise<number> {
  const parts = line.split(/(&&|\|\||&(?!\d))(?=(?:[^"]|"[^"]*")*$)/);
  let exitCode = 0;
  for (let index = 0; index < parts.length; index += 2) {
    const operator = parts[index - 1];
    if ((operator === '&&' && exitCode !== 0) || (operator === '||' && exitCode === 0)) continue;
    exitCode = await runSimple(state, shell, (parts[index] ?? '').trimStart(), terminal);
  }
  return exitCode;
}

async function runSimple(state: LabState, shell: LabProcess, text: string, given: Terminal): Promise<number> {
  shell.killed.signal.throwIfAborted();
  const [, command = text, target] = text.includes('>') ? (/^(.*?)\s*(1?>&2|>\s*nul)\s*$/is.exec(text) ?? []) : [];
  const terminal = target?.endsWith('2') ? { ...given, out: given.err } : given;
  const [program = '', ...words] = command.match(/"[^"]*"|\S+/g) ?? [];
  const args = words.map((word) => word.replace(/^"|"$/g, ''));
  const name = program.toLowerCase().replace(/\.exe$/, '');
  const print = (line: string) => terminal.out(`${line}\r\n`);
  switch (name) {
    case '':
    case 'set':
    case 'rem':
      return 0;
    case 'exit':
      return Number(args.at(-1) ?? 0);
    case 'echo':
      print(expandVariables(command.slice(program.length).trimStart(), state));
      return 0;
    case 'hostname':
      print(state.hostname);
      return 0;
    case 'whoami':
      print(state.user.toLowerCase());
      return 0;
    case 'ver':
      print('\r\nMicrosoft Windows [Version 10.0.26100.1]');
      return 0;
    case 'dir':
      return listFolder(state, args.find((word) => !word.startsWith('/')) ?? '.', terminal);
    case 'ping':
      return inProcess(state, shell, 'PING.EXE', command, (process) => ping(args, process, terminal));
    case 'cmd': {
      // The line that means the same to cmd.exe and to PowerShell: see `command-line.ts`.
      const inner = /\/c "(.*)&exit !errorlevel!"/i.exec(command)?.[1] ?? args.at(-1) ?? '';
      return inProcess(state, shell, 'cmd.exe', command, (process) => runLine(state, process, inner, terminal));
    }
    case 'chcp':
      print('Active code page: 437');
      return 0;
    case 'powershell':
    case 'pwsh':
      return inProcess(state, shell, 'powershell.exe', command, (process) => {
        const stdinLine = async () => String((await terminal.lines.next()).value ?? '');
        return runPowershell(args, { state, process, terminal, stdinLine });
      });
    case 'start-sleep':
    case 'get-date':
    case 'write-output':
      // What people type for PowerShell into cmd.exe fails there too; the words stand for a DefaultShell of PowerShell.
      return inProcess(state, shell, 'powershell.exe', command, (process) => {
        return runPowershell([command], { state, process, terminal, stdinLine: async () => '' });
      });
    default:
      terminal.note(`the lab does not know: ${command}`);
      terminal.err(
        `'${program}' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n`,
      );
      return errorCodeNotFound;
  }
}

async function inProcess(
  state: LabState,
  shell: LabProcess,
  name: string,
  commandLine: string,
  work: (process: LabProcess) => Promise<number>,
): Promise<number> {
  const process = state.spawn(shell.pid, name, commandLine);
  try {
    return await work(process);
  } finally {
    state.exit(process);
  }
}

async function ping(args: readonly string[], process: LabProcess, terminal: Terminal): Promise<number> {
  const index = args.findIndex((word) => word.toLowerCase() === '-n');
  const count = index === -1 ? 4 : Number(args[index + 1]);
  const host = args.find((word, i) => !word.startsWith('-') && args[i - 1]?.toLowerCase() !== '-n') ?? '127.0.0.1';
  terminal.out(`\r\nPinging ${host} with 32 bytes of data:\r\n`);
  for (let sent = 1; sent <= count; sent += 1) {
    terminal.out(`Reply from ${host}: bytes=32 time<1ms TTL=128\r\n`);
    if (sent < count) await sleep(1_000, process.killed.signal);
  }
  return 0;
}

function listFolder(state: LabState, path: string, terminal: Terminal): number {
  const dir = localPath(state, path);
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
    terminal.err('File Not Found\r\n');
    return 1;
  }
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    terminal.out(`${entry.isDirectory() ? '<DIR>'.padEnd(15) : ''.padEnd(15)}${entry.name}\r\n`);
  }
  return 0;
}

function expandVariables(text: string, state: LabState): string {
  const values: Record<string, string> = { computername: state.hostname, os: 'Windows_NT', username: 'administrator' };
  return text.replace(/%(\w+)%/g, (whole, name: string) => values[name.toLowerCase()] ?? whole);
}
