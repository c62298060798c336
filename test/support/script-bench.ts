import assert from 'node:assert/strict';
import * as v from 'valibot';
import {
  type ContractName,
  contracts,
  type ScriptInput,
  type ScriptOutput,
} from '../../src/windows/powershell/contracts.ts';
import { scripts } from '../../src/windows/powershell/scripts.ts';
import { PowershellEngine, type RunOptions } from './powershell-engine.ts';
import { type LogEntry, Machine, type MachineState } from './stand-ins/machine.ts';

export interface BenchResult<N extends ContractName> {
  /** What the script gave, checked against its contract. */
  readonly document: ScriptOutput<N>;
  /** What it changed, in order. */
  readonly log: readonly LogEntry[];
  /** What the machine is now. */
  readonly state: MachineState;
  readonly ms: number;
}

/** Our scripts under the real engine, on stand-in machines. */
export class ScriptBench {
  readonly engine = new PowershellEngine();

  /** Runs a script on a machine of its own, or on one that stays. @throws AssertionError if it fails or breaks its contract */
  async run<N extends ContractName>(
    name: N,
    input: ScriptInput<N>,
    on: MachineState | Machine = {},
    options: RunOptions = {},
  ): Promise<BenchResult<N>> {
    const machine = on instanceof Machine ? on : new Machine(on);
    try {
      const answer = await this.engine.script(scripts[name], v.parse(contracts[name].input, input), machine, options);
      assert.ok(answer.ok, `${name} failed: ${answer.error}`);
      const document = v.parse(contracts[name].output, JSON.parse(answer.output)) as ScriptOutput<N>;
      return { document, log: machine.log, state: machine.state, ms: answer.ms };
    } finally {
      if (machine !== on) machine[Symbol.dispose]();
    }
  }

  /** Runs a script that must fail. @returns its error's words, and what it had changed by then */
  async fail<N extends ContractName>(
    name: N,
    input: ScriptInput<N>,
    state: MachineState = {},
    options: RunOptions = {},
  ): Promise<{ readonly error: string; readonly log: readonly LogEntry[] }> {
    using machine = new Machine(state);
    const answer = await this.engine.script(scripts[name], v.parse(contracts[name].input, input), machine, options);
    assert.equal(answer.ok, false, `${name} did not fail: ${answer.output}`);
    return { error: answer.error, log: machine.log };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.engine[Symbol.asyncDispose]();
  }
}
