import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { milliseconds } from '../../src/core/duration.ts';
import { type Lab, startLab } from '../../src/lab/lab.ts';

/** Why the lab can't be used here, or undefined if it can: ssh2's Server and Client don't finish a handshake under Deno. */
export const whyNoLab = process.versions['bun'] === undefined ? 'the lab runs under Bun' : undefined;

export interface TestLab extends Lab {
  /** What the lab was asked for and does not simulate. */
  readonly notes: readonly string[];
  /** The name and command line of every process that was ever started, in order. */
  readonly started: readonly string[];
}

/** A simulated Windows host in this process, which shows a test what became of it. */
export async function startTestLab(powershellStartMs = 0): Promise<TestLab> {
  const dir = mkdtempSync(join(tmpdir(), 'wa-lab-'));
  const notes: string[] = [];
  const started: string[] = [];
  const lab = await startLab({
    powershellStartMs: milliseconds(powershellStartMs),
    dir: join(dir, 'keys'),
    note: (text) => notes.push(text),
  });
  const spawn = lab.state.spawn.bind(lab.state);
  lab.state.spawn = (parentPid, name, commandLine, sessionId) => {
    started.push(`${name} ${commandLine}`);
    return spawn(parentPid, name, commandLine, sessionId);
  };
  const close = async () => {
    await lab.close();
    rmSync(dir, { recursive: true, force: true });
  };
  return { ...lab, notes, started, close };
}
