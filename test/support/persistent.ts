import { type ChildProcess, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { warmCommandLine } from '../../src/windows/powershell/compose.ts';
import type { CommandChannel, CommandOpener } from '../../src/windows/powershell/persistent.ts';
import { pwsh } from './engines.ts';

/** Starts what `PersistentPowershell` asks for as a process of this machine, in a session of its own as sshd does. */
export class LocalOpener implements CommandOpener {
  /** The process that was started last. */
  child: ChildProcess | undefined;
  channel: CommandChannel | undefined;
  readonly #env: NodeJS.ProcessEnv | undefined;

  constructor(env?: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  get pid(): number {
    if (this.child?.pid === undefined) throw new Error('nothing was started');
    return this.child.pid;
  }

  async openCommand(commandLine: string): Promise<{ channel: CommandChannel }> {
    if (pwsh.path === undefined) throw new Error(pwsh.whyNot);
    const [, ...args] = commandLine.split(' ');
    const child = spawn(pwsh.path, args, { detached: true, stdio: 'pipe', ...(this.#env && { env: this.#env }) });
    this.child = child;
    this.channel = channelOf(child);
    return { channel: this.channel };
  }
}

/** The command line's program and arguments, for tests that speak to it line by line. */
export function spawnPersistent() {
  if (pwsh.path === undefined) throw new Error(pwsh.whyNot);
  return spawn(pwsh.path, warmCommandLine.split(' ').slice(1), { detached: true, stdio: 'pipe' });
}

function channelOf({ stdin, stdout, stderr }: ReturnType<typeof spawnPersistent>): CommandChannel {
  const channel = new Duplex({
    read: () => stdout.resume(),
    write: (chunk, _encoding, done) => void stdin.write(chunk, done),
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
