import { after, before } from 'node:test';
import * as v from 'valibot';
import { type ExecPayload, execPayloadSchema } from '../../src/cli/windows/exec-payload.ts';
import { winehost } from './engines.ts';
import { type Executable, type Finished, installExecutable, type RunOptions, whyNoExecutable } from './executable.ts';
import { startWinehost, type Winehost, type WinehostOptions } from './winehost.ts';

/** Why suites on the nearly-Windows host are skipped, or undefined if they are not. */
export const whyNoWinehostSuites = whyNoExecutable ?? winehost.whyNot;

/** The executable and a host that is nearly Windows, for the tests of one suite. */
export interface OnWinehost {
  host(): Winehost;
  /** The executable's folder, which is its HOME and working directory. */
  home(): string;
  /** Runs `win-automation ARGS`. */
  run(args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Runs `win-automation windows WHAT --json ARGS` and reads its payload. */
  payload(what: 'exec' | 'script', args: readonly string[], options?: RunOptions): Promise<ExecPayload>;
}

/** Starts both before the tests of the suite that calls it, and ends both after them. */
export function onWinehost(options: () => WinehostOptions): OnWinehost {
  let host: Winehost | undefined;
  let program: Executable | undefined;
  before(async () => {
    program = installExecutable();
    host = await startWinehost(options());
  });
  after(async () => {
    program?.remove();
    await host?.stop();
  });
  const started = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('the host was not started');
    return value;
  };
  const run: OnWinehost['run'] = (args, runOptions = {}) =>
    started(program).run(args, { ...runOptions, env: { ...started(host).env, ...runOptions.env } });
  return {
    host: () => started(host),
    home: () => started(program).home,
    run,
    payload: async (what, args, runOptions) => {
      const { stdout, stderr } = await run(['windows', what, '--json', ...args], runOptions);
      if (stdout.length === 0) throw new Error(`no payload: ${stderr}`);
      return v.parse(execPayloadSchema, JSON.parse(stdout.toString()));
    },
  };
}
