import { writeSync } from 'node:fs';
import { isFleetPass, restartWithoutOptimizer } from './restart.ts';

/**
 * Runs one command line.
 *
 * @param argv the words behind the program's name
 * @returns the exit code; everything that was written has left the process by then
 */
export async function run(argv: readonly string[]): Promise<number> {
  // The most frequent question of scripts: nothing else is loaded for it.
  if (argv.length === 1 && argv[0] === '--version') {
    const { versions } = await import('../core/version.ts');
    writeSync(1, `${versions.version}\n`);
    return 0;
  }
  if (isFleetPass(argv)) restartWithoutOptimizer(argv);
  const { dispatch } = await import('./dispatch.ts');
  return dispatch(argv);
}
