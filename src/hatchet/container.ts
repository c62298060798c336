import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';
import { milliseconds } from '../core/duration.ts';
import { AutomationError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { composeFile, composeSecrets, defaultTenantId } from './compose.ts';

/** Every way to run a compose file, the best known first. */
const tools: readonly (readonly [string, ...string[]])[] = [
  ['docker', 'compose'],
  ['docker-compose'],
  ['podman', 'compose'],
  ['podman-compose'],
];

const hint =
  'install docker or podman with compose, or run Hatchet without them: win-automation hatchet up --embedded, ' +
  "hatchet server start, or the NixOS module's hatchet.enable";

export interface ContainerOptions {
  /** Where compose.yaml and .env are kept. */
  readonly dir: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Writes the compose file, and passwords beside it where there are none yet: new ones would lock the old database out.
 *
 * @returns the paths of both
 */
export async function writeCompose(dir: string): Promise<{ readonly composePath: string; readonly envPath: string }> {
  const [composePath, envPath] = [join(dir, 'compose.yaml'), join(dir, '.env')];
  await replaceFile(composePath, composeFile());
  if (!existsSync(envPath)) await replaceFile(envPath, composeSecrets());
  return { composePath, envPath };
}

/**
 * Starts the containers and waits until both are healthy.
 *
 * @throws AutomationError `container_failed` where there is nothing to run them with, or they do not come up
 */
export async function startContainers(options: ContainerOptions): Promise<void> {
  await writeCompose(options.dir);
  await compose(['up', '--detach', '--wait'], options);
}

/** Stops and removes the containers. @param withData removes the database and the keys as well */
export async function stopContainers(withData: boolean, options: ContainerOptions): Promise<void> {
  await compose(['down', ...(withData ? ['--volumes'] : [])], options);
}

/** Lets the server make a token for a worker. */
export async function mintToken(options: ContainerOptions): Promise<string> {
  const admin = ['/hatchet-admin', 'token', 'create', '--config', '/config', '--tenant-id', defaultTenantId];
  const printed = await compose(['exec', '-T', 'hatchet', ...admin, '--name', 'win-automation'], options);
  const token = printed
    .split(/\s+/)
    .filter((word) => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(word))
    .at(-1);
  if (token !== undefined) return token;
  throw new AutomationError('container_failed', 'the server made no token', {
    hint: `look at its log: ${options.dir}`,
  });
}

async function compose(args: readonly string[], options: ContainerOptions): Promise<string> {
  const [program, ...first] = await composeTool(options.signal);
  const files = ['-f', join(options.dir, 'compose.yaml'), '--env-file', join(options.dir, '.env')];
  const ran = await run([program, ...first, ...files, ...args], options.signal);
  if (ran.exitCode === 0) return ran.stdout;
  throw new AutomationError(
    'container_failed',
    `${[program, ...first, ...args.slice(0, 2)].join(' ')}: ${lastLine(ran)}`,
    {
      hint,
    },
  );
}

async function composeTool(signal: AbortSignal): Promise<readonly [string, ...string[]]> {
  let reason = 'there is neither docker nor podman';
  for (const tool of tools) {
    const ran = await run([...tool, 'version'] as [string, ...string[]], signal);
    if (ran.exitCode === 0) return tool;
    if (ran.exitCode !== undefined) reason = `${tool.join(' ')}: ${lastLine(ran)}`;
  }
  throw new AutomationError('container_failed', `no containers can be run: ${reason}`, { hint });
}

interface Ran {
  /** Undefined where the program could not be started. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Images have to be fetched the first time. */
const timeoutMs = milliseconds(900_000);

function run([program, ...args]: readonly [string, ...string[]], signal: AbortSignal): Promise<Ran> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { signal, timeout: timeoutMs }, (error, stdout, stderr) => {
      if (signal.aborted) reject(signal.reason);
      else if (error === null) resolve({ exitCode: 0, stdout, stderr });
      else resolve({ exitCode: typeof error.code === 'number' ? error.code : undefined, stdout, stderr });
    });
  });
}

const lastLine = ({ stderr, stdout, exitCode }: Ran): string =>
  (stderr.trim() || stdout.trim()).split('\n').filter(Boolean).at(-1)?.trim() ?? `exit code ${exitCode}`;
