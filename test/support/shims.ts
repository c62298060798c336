import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Puts a `powershell` into a folder that keeps the contract of our scripts. @returns the folder, for PATH */
export function installPowershellShim(dir: string): string {
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, 0o755);
  const outfile = join(dir, 'powershell');
  const args = ['build', '--compile', resolve('test/support/powershell-shim.ts'), '--outfile', outfile];
  const { status, stderr } = spawnSync(resolve('node_modules/.bin/bun'), args);
  if (status !== 0) throw new Error(`the shim could not be built: ${stderr}`);
  chmodSync(outfile, 0o755);
  return dir;
}
