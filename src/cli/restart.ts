import process from 'node:process';

/** An option of JavaScriptCore's as Bun takes it: from the environment, when a process begins, and never again. */
const option = 'BUN_JSC_useDFGJIT';

/** Whether a command line is for one short pass over a fleet. From its bare words: nothing is loaded for the answer. */
export const isFleetPass = (argv: readonly string[]): boolean =>
  argv.includes('--all-hosts') && (argv.includes('--once') || argv.includes('doctor'));

/**
 * Begins this process anew, as the same process, without JavaScriptCore's optimizing compiler. In one pass over a fleet it
 * compiles what will not run often enough to pay for it: a fifth of the time and a quarter of the CPU, up to some hundred
 * hosts. To be called before there is anything to lose. Returns where the process was begun so already, or can't be.
 */
export function restartWithoutOptimizer(argv: readonly string[]): void {
  if (process.env[option] !== undefined) {
    // What is started from here may think otherwise.
    delete process.env[option];
    return;
  }
  // From source, or under another runtime, it would take more than these words.
  if (!process.argv[1]?.startsWith('/$bunfs/')) return;
  try {
    process.execve?.(process.execPath, [process.argv0, ...argv], { ...process.env, [option]: '0' });
  } catch {
    // Slower then, and no less right.
  }
}
