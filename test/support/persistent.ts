import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Duplex, type Readable, type Writable } from 'node:stream';
import { LineSplitter } from '../../src/core/lines.ts';
import { warmCommandLine, warmFirstLine } from '../../src/windows/powershell/command-line.ts';
import { type CommandChannel, PersistentPowershell } from '../../src/windows/powershell/persistent.ts';
import { pwsh } from './engines.ts';

const never = new AbortController().signal;

/** A PowerShell that stays, as a process of this machine. */
export interface TestPersistent extends AsyncDisposable {
  readonly powershell: PersistentPowershell;
  readonly pid: number;
  /** A path of a file that is not there, and is removed in the end. */
  readonly marker: string;
  readonly exited: Promise<{ exitCode: number | null; signal: string | null }>;
  run(script: string, argument?: string, signal?: AbortSignal): Promise<string>;
  /** Ends its standard input, as a connection that is lost does. */
  endInput(): void;
  /** The processes that it has started and that are still there. */
  leftBehind(): number[];
  close(): Promise<void>;
}

/** Starts one. It leads a session, as what sshd starts does. */
export async function openPersistent({
  isAwaited = true,
  env = {},
}: {
  readonly isAwaited?: boolean;
  readonly env?: Readonly<Record<string, string>>;
} = {}): Promise<TestPersistent> {
  const child = start(warmCommandLine, env);
  const exited = exitOf(child);
  const powershell = PersistentPowershell.start({ openCommand: async () => ({ channel: channelOf(child) }) });
  if (isAwaited) await powershell.ready;
  const dir = mkdtempSync(join(tmpdir(), 'wa-persistent-'));
  const pid = child.pid ?? 0;
  const close = async () => {
    powershell.close();
    child.stdin.end();
    await exited;
    rmSync(dir, { recursive: true, force: true });
  };
  return {
    powershell,
    pid,
    marker: join(dir, 'marker'),
    exited,
    run: (script, argument = '-', signal = never) => powershell.run(script, argument, signal),
    endInput: () => child.stdin.end(),
    leftBehind: () => sessionOf(pid),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Starts one and speaks to it line by line. */
export async function speakPersistent() {
  const child = start(warmCommandLine);
  const exited = exitOf(child);
  const lines = linesOf(child.stdout);
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('it has ended');
    return value;
  };
  child.stdin.write(`${warmFirstLine}\n`);
  await next();
  return {
    next,
    say: (text: string) => void child.stdin.write(text),
    close: async () => {
      child.stdin.end();
      await exited;
    },
  };
}

/** The bytes of memory that a process has. */
export function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) * 1024;
}

function start(commandLine: string, env: Readonly<Record<string, string>> = {}) {
  if (pwsh.path === undefined) throw new Error(pwsh.whyNot);
  return spawn(pwsh.path, commandLine.split(' ').slice(1), {
    detached: true,
    stdio: 'pipe',
    env: { ...process.env, ...env },
  });
}

function exitOf(child: ChildProcess) {
  return new Promise<{ exitCode: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
  });
}

async function* linesOf(from: Readable): AsyncGenerator<string, void> {
  const splitter = new LineSplitter();
  for await (const chunk of from) yield* splitter.push(chunk);
}

/** The processes that run a program with just these arguments, wherever it lies. */
export function processesOf(command: string): number[] {
  return processes().filter(
    (pid) => readProc(pid, 'cmdline').replace(/^[^\0]*\//, '') === `${command.replaceAll(' ', '\0')}\0`,
  );
}

/** The processes of a session that are not its leader. */
function sessionOf(leader: number): number[] {
  return processes().filter((pid) => {
    const stat = readProc(pid, 'stat');
    const [state, , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return pid !== leader && state !== 'Z' && Number(session) === leader;
  });
}

function processes(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    // It ended in between.
    return '';
  }
}

function channelOf({ stdin, stdout, stderr }: { stdin: Writable; stdout: Readable; stderr: Readable }): CommandChannel {
  const channel = new Duplex({
    read: () => void stdout.resume(),
    write: (chunk, _encoding, done) => void stdin.write(chunk, () => done()),
    final: (done) => void stdin.end(done),
    destroy: (error, done) => {
      stdin.destroy();
      stdout.destroy();
      done(error);
    },
  });
  stdin.on('error', () => undefined);
  stdout.on('data', (chunk: Buffer) => channel.push(chunk) || stdout.pause());
  stdout.on('end', () => channel.push(null));
  // As a channel of SSH: closed once the far side is.
  stdout.on('close', () => channel.destroy());
  return Object.assign(channel, { stderr });
}
