import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** What the line that cmd.exe and PowerShell both take asks of cmd.exe: see src/windows/powershell/command-line.ts. */
const cmdShim = `#!/bin/sh
while [ "$1" != /c ]; do shift; done
exec sh -c "\${2%&exit !errorlevel!}"
`;

/** Puts a `cmd` into a folder that runs the line of ours in sh. @returns the folder, for PATH */
export function installCmdShim(dir: string): string {
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, 0o755);
  writeFileSync(join(dir, 'cmd'), cmdShim, { mode: 0o755 });
  return dir;
}

/** Puts a `powershell` into a folder that keeps the contract of our scripts. @returns the folder, for PATH */
export function installPowershellShim(dir: string): string {
  installCmdShim(dir);
  const outfile = join(dir, 'powershell');
  const args = ['build', '--compile', resolve('test/support/powershell-shim.ts'), '--outfile', outfile];
  const { status, stderr } = spawnSync(resolve('node_modules/.bin/bun'), args);
  if (status !== 0) throw new Error(`the shim could not be built: ${stderr}`);
  chmodSync(outfile, 0o755);
  return dir;
}
