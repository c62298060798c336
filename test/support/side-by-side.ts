import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { pwsh } from './engines.ts';
import { type Executable, installExecutable } from './executable.ts';
import { installCmdShim } from './shims.ts';
import type { differences } from './side-by-side-differences.ts';
import { startSshd, type TestSshd } from './sshd.ts';

/** What a user would give PowerShell, and give us instead. */
export interface SideBySideCase {
  /** What happens, as the end of a sentence: "… is the same". */
  readonly title: string;
  /** A script runs by `-File`, and a command by `-Command`. */
  readonly kind: 'script' | 'command';
  readonly text: string | Buffer;
  /** Our further flags, such as `--param`. */
  readonly flags?: readonly string[];
  /** What a user would write behind the script's file name. */
  readonly args?: readonly string[];
  /** What a user would write behind the script's name inside PowerShell, where `-File` can't say it: lists, hashtables. */
  readonly call?: string;
  /** Standard input; without it, there is none. */
  readonly input?: string | Buffer;
  /** Files beside the script, by their names. */
  readonly beside?: Readonly<Record<string, string>>;
  readonly errorAction?: 'stop' | 'continue';
  /** Whether it runs in one script together with others of its kind: no error ends it, and it leaves nothing behind. */
  readonly isJoined?: boolean;
  /** Whether the user's PowerShell is left its colours. */
  readonly isColoured?: boolean;
  /** Where ours is meant to be another: in what, and what it is then. */
  readonly differs?: Difference;
}

type Text = SideBySideCase['text'];

/** A case of `-File`. */
export const script = (title: string, text: Text, more: Partial<SideBySideCase> = {}): SideBySideCase => ({
  title,
  kind: 'script',
  text,
  ...more,
});

/** A case of `-Command`. */
export const command = (title: string, text: Text, more: Partial<SideBySideCase> = {}): SideBySideCase => ({
  ...script(title, text, more),
  kind: 'command',
});

export interface Difference {
  readonly id: keyof typeof differences;
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

interface Payload {
  readonly stdout: { readonly text: string };
  readonly stderr: { readonly text: string };
  readonly exit_code: number;
}

/** Spares .NET the counting for code that will have ended before it is worth it. */
const sooner = 'DOTNET_TieredPGO=0';

/** A host whose `powershell` and `pwsh` are a real engine, reached by the executable and by a user's own ssh. */
export class SideBySide {
  readonly #sshd: TestSshd;
  readonly #dir: string;
  readonly #program: Executable;
  #made = 0;
  #homeLength: number;

  private constructor(sshd: TestSshd, dir: string, program: Executable) {
    this.#sshd = sshd;
    this.#dir = dir;
    this.#program = program;
    this.#homeLength = homeOf(sshd.user).length;
  }

  static async start(): Promise<SideBySide> {
    const dir = mkdtempSync(join(tmpdir(), 'wa-side-'));
    chmodSync(dir, 0o755);
    const path = installCmdShim(join(dir, 'bin'));
    for (const name of ['powershell', 'pwsh']) {
      writeFileSync(join(path, name), `#!/bin/sh\n${sooner} exec '${pwsh.path}' "$@"\n`, { mode: 0o755 });
    }
    const sshd = await startSshd({ config: [`SetEnv PATH=${path}:/usr/local/bin:/usr/bin:/bin LC_ALL=C.UTF-8`] });
    const side = new SideBySide(sshd, dir, installExecutable());
    await side.#openMaster();
    return side;
  }

  /** One connection for every call of the user's. */
  async #openMaster(): Promise<void> {
    spawn('ssh', [...this.#sshOptions(), '-M', '-N', '127.0.0.1'], { stdio: 'ignore' });
    for (let tries = 0; tries < 100; tries += 1) {
      const { exitCode } = await run('ssh', [...this.#sshOptions(), '-O', 'check', '127.0.0.1']);
      if (exitCode === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('the connection of the user did not open within 5 s');
  }

  async stop(): Promise<void> {
    await run('ssh', [...this.#sshOptions(), '-O', 'exit', '127.0.0.1']);
    await this.#sshd.stop();
    this.#program.remove();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** The executable itself, against this host. */
  ours(args: readonly string[], input?: string | Buffer, onStart?: (child: ChildProcess) => void) {
    return this.#program.run(args, {
      env: this.#sshd.env,
      ...(input === undefined ? {} : { input }),
      ...(onStart === undefined ? {} : { onStart }),
    });
  }

  /** A case by our executable. */
  async byUs(one: SideBySideCase, file: string): Promise<Outcome> {
    const isScript = one.kind === 'script';
    const { stdout, stderr, exitCode } = await this.ours(
      [
        'windows',
        isScript ? 'script' : 'exec',
        '--raw',
        '--propagate-exit',
        '--error-action',
        one.errorAction ?? 'continue',
        ...(one.input === undefined ? [] : ['--stdin']),
        ...(one.flags ?? []),
        ...besideOf(one, file),
        ...(isScript ? [file] : ['--shell', 'powershell', '--', String(one.text)]),
      ],
      one.input,
    );
    return { stdout: plain(stdout), stderr: plain(Buffer.from(stderr)), exitCode };
  }

  /** A command by our executable, its outcome taken from the payload. */
  async byPayload(command: string): Promise<Outcome> {
    const flags = ['--json', '--shell', 'powershell', '--error-action', 'continue'];
    const { stdout } = await this.ours(['windows', 'exec', ...flags, '--', command]);
    const payload = JSON.parse(stdout.toString()) as Payload;
    return { stdout: payload.stdout.text, stderr: payload.stderr.text, exitCode: payload.exit_code };
  }

  /** A case by PowerShell, as a user would start it over ssh. */
  async byUser(one: SideBySideCase, file: string): Promise<Outcome> {
    const what =
      one.kind === 'command'
        ? ['-Command', quoted(String(one.text))]
        : one.call === undefined
          ? ['-File', quoted(file), ...(one.args ?? []).map(quoted)]
          : ['-Command', quoted(`& '${file}' ${one.call}`)];
    const environment = one.isColoured ? '' : 'NO_COLOR=1 ';
    const line = `${environment}pwsh -NoProfile -NonInteractive ${what.join(' ')}`;
    const { stdout, stderr, exitCode } = await run('ssh', [...this.#sshOptions(), '127.0.0.1', line], one.input);
    return { stdout: plain(stdout), stderr: plain(stderr), exitCode };
  }

  /** Writes a case's files. Their folder's name is as long as that of our runs: messages wrap at the same places. */
  write({ text, beside = {} }: SideBySideCase): string {
    this.#made += 1;
    const length = this.#homeLength + '/.win-automation-'.length + 36;
    const start = `${this.#dir}/${this.#made}-`;
    const dir = start.padEnd(length, 'x');
    mkdirSync(dir, { mode: 0o755 });
    for (const [name, content] of Object.entries({ ...beside, 'user.ps1': text })) {
      mkdirSync(dirname(join(dir, name)), { recursive: true, mode: 0o755 });
      writeFileSync(join(dir, name), content, { mode: 0o644 });
    }
    return join(dir, 'user.ps1');
  }

  #sshOptions(): string[] {
    const { port, user, identityFile, knownHostsFile, dir } = this.#sshd;
    const settings = {
      User: user,
      IdentityFile: identityFile,
      UserKnownHostsFile: knownHostsFile,
      LogLevel: 'ERROR',
      ControlPath: join(dir, 'control'),
    };
    return ['-F', 'none', '-p', String(port), ...Object.entries(settings).map(([key, value]) => `-o${key}=${value}`)];
  }
}

function homeOf(user: string): string {
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n');
  return accounts.find((line) => line.startsWith(`${user}:`))?.split(':')[5] ?? userInfo().homedir;
}

/** Every folder beside the script is one that we are told to bring along. */
function besideOf(one: SideBySideCase, file: string): string[] {
  const folders = new Set(Object.keys(one.beside ?? {}).map((name) => name.split('/')[0] ?? ''));
  return [...folders].flatMap((folder) => ['--with', join(dirname(file), folder)]);
}

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** The folder of a run is a name that nobody chose. Bytes that are no text stay apart from each other. */
function plain(bytes: Buffer): string {
  const isText = !bytes.toString().includes('\ufffd');
  return bytes
    .toString(isText ? 'utf8' : 'latin1')
    .replaceAll(/\/[\w/-]*\/\.win-automation-[0-9a-f-]{36}/g, '<folder>')
    .replaceAll(/PowerShell \d+\.\d+\.\d+/g, 'PowerShell <version>')
    .replaceAll(/\/[\w/-]*\/wa-side-\w+\/\d+-x+/g, '<folder>');
}

function run(program: string, args: readonly string[], input?: string | Buffer) {
  return new Promise<{ stdout: Buffer; stderr: Buffer; exitCode: number | null }>((done, fail) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
    child.once('error', fail);
    child.once('close', (exitCode) => done({ stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), exitCode }));
  });
}

/** At most so many at once, in the order in which they were asked for. */
export function limited(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= count) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
