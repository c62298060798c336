import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { ScriptInput } from '../../src/windows/powershell/contracts.ts';
import { pwsh } from '../support/engines.ts';
import { ScriptBench } from '../support/script-bench.ts';
import { type LogEntry, Machine, type MachineState } from '../support/stand-ins/machine.ts';
import { suite } from '../support/suite.ts';

const stranger = {
  TaskName: 'stranger',
  TaskPath: '\\',
  State: 'Running',
  LastTaskResult: 0,
  Principal: { UserId: 'x' },
};
/** The settings of the task that was registered first. */
const settingsOf = (log: readonly LogEntry[]) => {
  const entry = log.find(({ command }) => command === 'Register-ScheduledTask');
  assert.ok(entry, 'no task was registered');
  return (entry.detail as { readonly Settings: Readonly<Record<string, unknown>> }).Settings;
};
const loggedOn = { cim: { Win32_ComputerSystem: [{ UserName: 'PC\\me' }] } };

suite('the task script', pwsh.whyNot, () => {
  let bench: ScriptBench;
  before(() => {
    bench = new ScriptBench();
  });
  after(() => bench[Symbol.asyncDispose]());

  const ask = async (input: ScriptInput<'task'>, on: MachineState | Machine) =>
    (await bench.run('task', input, on)).document;

  it('registers, starts, stops and removes, each once', async () => {
    using machine = new Machine(loggedOn);
    const name = 'Größe ℃ 日本';
    const made = await ask({ action: 'register', name, execute: 'a.exe', principal: 'interactive' }, machine);
    const seen = [made];
    for (const action of ['start', 'start', 'stop', 'stop', 'remove', 'remove'] as const) {
      seen.push(await ask({ action, name }, machine));
    }
    assert.deepEqual(
      seen.map(({ exists, state, changed }) => [exists, state, changed]),
      [
        [true, 'Ready', true],
        [true, 'Running', true],
        [true, 'Running', false],
        [true, 'Ready', true],
        [true, 'Ready', false],
        [false, '', true],
        [false, '', false],
      ],
    );
  });

  it('makes tasks that start on battery too', async () => {
    const { log } = await bench.run('task', { action: 'register', name: 'a', execute: 'a', principal: 'system' });
    const { DisallowStartIfOnBatteries, StopIfGoingOnBatteries } = settingsOf(log);
    assert.deepEqual([DisallowStartIfOnBatteries, StopIfGoingOnBatteries], [false, false]);
  });

  it('registers again over what is there', async () => {
    using machine = new Machine({ tasks: [stranger] });
    const input = {
      action: 'register',
      name: 'stranger',
      execute: 'b',
      principal: 'system',
      trigger: 'logon',
    } as const;
    assert.equal((await ask(input, machine)).user, 'SYSTEM');
    assert.equal(machine.state.tasks?.length, 1);
  });

  for (const name of ['*', 'A [x]', 'stran?er']) {
    it(`takes the name ${name} for a name, not a pattern`, async () => {
      using machine = new Machine({ tasks: [stranger] });
      assert.equal((await ask({ action: 'stop', name }, machine)).exists, false);
      await ask({ action: 'register', name, execute: 'a', principal: 'system' }, machine);
      assert.equal((await ask({ action: 'start', name }, machine)).state, 'Running');
      assert.equal((await ask({ action: 'remove', name }, machine)).exists, false);
      assert.deepEqual(machine.state.tasks, [stranger]);
    });
  }

  it('gives a task whose principal and last result are not there', async () => {
    const tasks = [{ TaskName: 'bare', TaskPath: '\\', State: 'Ready', Principal: null, LastTaskResult: null }];
    const answer = await ask({ action: 'query', name: 'bare' }, { tasks });
    assert.deepEqual([answer.exists, answer.user, answer.last_result], [true, '', 0]);
  });

  it('gives a last result beyond 2,147,483,647', async () => {
    const answer = await ask(
      { action: 'query', name: 'stranger' },
      { tasks: [{ ...stranger, LastTaskResult: 0xc000013a }] },
    );
    assert.equal(answer.last_result, 0xc000013a);
  });

  it('says that nobody is logged on', async () => {
    const state = { cim: { Win32_ComputerSystem: [{ UserName: null }] } };
    const input = { action: 'register', name: 'a', execute: 'a', principal: 'interactive' } as const;
    assert.match((await bench.fail('task', input, state)).error, /nobody is logged on/);
  });

  it('says that access is denied instead of that there is no task', async () => {
    const errors = { 'Get-ScheduledTask': { category: 'PermissionDenied', message: 'Access is denied.' } };
    const { error } = await bench.fail('task', { action: 'query', name: 'a' }, { errors });
    assert.match(error, /Access is denied/);
  });
});

suite('the interactive script', pwsh.whyNot, () => {
  let bench: ScriptBench;
  before(() => {
    bench = new ScriptBench();
  });
  after(() => bench[Symbol.asyncDispose]());

  const machine: MachineState = { ...loggedOn, start_programs: true };
  const environment = { WIN_AUTOMATION_STAND_IN_POWERSHELL: pwsh.path ?? '' };
  const request = (text: string, timeout_s = 30) => ({
    id: 'test-1',
    script: Buffer.from(text, 'utf8').toString('base64'),
    argument: 'QQ==',
    timeout_s,
  });
  const run = (text: string) => bench.run('interactive', request(text), machine, { environment });

  for (const [what, text, wanted] of [
    ['gives what the script prints', 'param($a) "ü 日本"; $a', { ok: true, output: 'ü 日本\nQQ==', error: '' }],
    ['gives nothing where it prints nothing', '$null', { ok: true, output: '', error: '' }],
    ['leaves a result where the script says exit', "'a'; exit 0; 'b'", { ok: true, output: 'a', error: '' }],
    [
      'says with which code the script ended',
      "'a'; exit 3",
      { ok: false, output: 'a', error: 'the script ended with exit code 3' },
    ],
    [
      'gives the reason of an error, and what came before it',
      "'a'; throw 'boom ü'",
      { ok: false, output: 'a', error: 'boom ü' },
    ],
  ] as const) {
    it(what, async () => assert.deepEqual((await run(text)).document, wanted));
  }

  it('says that a script can not be parsed', async () => {
    const { document } = await run('if (');
    assert.equal(document.ok, false);
    assert.notEqual(document.error, '');
  });

  it('makes a task that starts on battery too, has a limit, and is gone afterwards', async () => {
    const { log, state } = await run("'a'");
    const { DisallowStartIfOnBatteries, StopIfGoingOnBatteries, ExecutionTimeLimit } = settingsOf(log);
    assert.deepEqual(
      [DisallowStartIfOnBatteries, StopIfGoingOnBatteries, ExecutionTimeLimit, state.tasks],
      [false, false, 'PT1M30S', []],
    );
  });

  it('does not wait out its time where the task ended and left nothing', async () => {
    const state = { ...loggedOn, tasks_end: { State: 'Ready', LastTaskResult: 1 } };
    const { error } = await bench.fail('interactive', request("'a'", 60), state);
    assert.match(error, /left no result; its last result is 1$/);
  });

  it('ends at its time, and takes the task away', async () => {
    const { error, log } = await bench.fail('interactive', request("'a'", 1), loggedOn);
    assert.match(error, /did not end within 1 s/);
    assert.deepEqual(
      log.map(({ command }) => command),
      ['Register-ScheduledTask', 'Start-ScheduledTask', 'Stop-ScheduledTask', 'Unregister-ScheduledTask'],
    );
  });

  for (const id of ['a b', '..', 'a\n', '']) {
    it(`refuses the id ${JSON.stringify(id)}`, async () => {
      const { error } = await bench.fail('interactive', { ...request(''), id }, machine);
      assert.match(error, /letters, digits and dashes only/);
    });
  }
});
