import { spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { versions } from '../../core/version.ts';
import type { Invocation } from '../invocation.ts';

/** Tells the child that its standard error is looked after. */
export const relayedFlag = 'relayed';

/**
 * Runs this same command line in a child, and makes log lines of what it writes to standard error: the SDK and the sidecar
 * write there by themselves, and would break the log for whoever reads it.
 *
 * @returns the child's exit code
 */
export async function relayed({ logger, op, signal }: Invocation): Promise<number> {
  const script = versions.commit === 'source' ? [process.argv[1] ?? ''] : [];
  const child = spawn(process.execPath, [...script, ...process.argv.slice(2), `--${relayedFlag}`], {
    stdio: ['pipe', 'inherit', 'pipe'],
  });
  // The child may be gone before us.
  child.stdin.on('error', () => undefined);
  const log = logger();
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (/^ts=\S+ level=/.test(line)) process.stderr.write(`${line}\n`);
    else if (line.trim() !== '') log.info(op, line.replace(/^hatchet embedded: /, ''), { by: 'sidecar' });
  });
  // The terminal sends Ctrl-C to both; systemd and kill only to this one.
  const forward = () => child.kill('SIGTERM');
  signal.addEventListener('abort', forward, { once: true });
  if (signal.aborted) forward();
  return await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve(exitCode ?? 1));
  });
}

/** In the child: ends it as SIGTERM does once the parent is gone, by kill -9 too, which closes our standard input. */
export function endWithParent(): void {
  process.stdin.once('end', () => process.kill(process.pid, 'SIGTERM'));
  process.stdin.resume();
}
