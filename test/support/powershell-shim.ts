import process from 'node:process';
import { createInterface } from 'node:readline';
import { runPowershell } from '../../src/lab/powershell.ts';
import { LabState } from '../../src/lab/state.ts';

/**
 * Stands where Windows has powershell.exe, behind a real sshd: the lab's handlers, on the home folder of whoever logged in.
 * Compiled by `installPowershellShim`.
 */
const state = new LabState(0, process.env['HOME']);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const sshd = state.spawn(4, 'sshd.exe', 'sshd.exe -z');
const terminal = {
  out: (text: string) => void process.stdout.write(text),
  err: (text: string) => void process.stderr.write(text),
  note: (text: string) => void process.stderr.write(`${text}\n`),
  lines,
};
process.exitCode = await runPowershell(process.argv.slice(2), {
  state,
  process: state.spawn(sshd.pid, 'powershell.exe', process.argv.join(' ')),
  terminal,
  stdinLine: async () => String((await lines.next()).value ?? ''),
});
process.stdin.destroy();
