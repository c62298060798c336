import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scripts } from '../../src/windows/powershell/scripts.ts';
import { runPwsh } from './engines.ts';

/** A text to look at. */
export interface LintText {
  readonly name: string;
  readonly text: string;
  /** Whether it says that it takes standard input. */
  readonly reads_input?: boolean;
}

/** Programs of Windows that our scripts start by name. */
const natives = ['icacls.exe', 'powercfg.exe', 'taskkill.exe', 'cmd.exe'];

const fileOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/**
 * What the engine's own parser and Microsoft's parameters find wrong.
 *
 * @param shared texts whose functions may be called everywhere
 * @returns `name:line: [rule] words`, a fault each
 */
export function lintFaults(texts: readonly LintText[], shared: readonly string[] = []): string[] {
  const dir = mkdtempSync(join(tmpdir(), 'win-automation-lint-'));
  try {
    const request = join(dir, 'request.json');
    const libraries = [scripts.argument, ...shared];
    writeFileSync(request, JSON.stringify({ cmdlets: fileOf('stand-ins/cmdlets.json'), texts, natives, libraries }));
    const { exitCode, stdout, stderr } = runPwsh(['-File', fileOf('lint.ps1'), request]);
    if (exitCode !== 0 || stderr !== '') throw new Error(`the lint failed: ${stderr}`);
    return stdout.split('\n').filter((line) => line !== '');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
