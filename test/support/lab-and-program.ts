import { after, before } from 'node:test';
import { type Executable, type Finished, installExecutable, type RunOptions } from './executable.ts';
import { startTestLab, type TestLab } from './lab.ts';

/** A lab and the executable for all tests of a suite. */
export class LabAndProgram {
  lab!: TestLab;
  program!: Executable;

  /** Registers its own hooks: call it inside a suite. */
  constructor() {
    before(async () => {
      this.lab = await startTestLab();
      this.program = installExecutable();
    });
    after(async () => {
      await this.lab.close();
      this.program.remove();
    });
  }

  /** Runs the executable with the lab as its host. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return this.program.run(args, { ...options, env: { ...this.lab.env, ...options.env } });
  }
}
