import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { pwsh } from '../support/engines.ts';
import { ScriptBench } from '../support/script-bench.ts';
import type { MachineState } from '../support/stand-ins/machine.ts';
import { suite } from '../support/suite.ts';

const minute = (count: number) => new Date(Date.UTC(2026, 10, 25, 12, count)).toISOString();

/** A process; its date in minutes after noon, or none. */
const one = (id: number, parent: number, name: string, commandLine: string | null, began?: number) => ({
  ProcessId: id,
  ParentProcessId: parent,
  Name: name,
  CommandLine: commandLine,
  CreationDate: began === undefined ? null : minute(began),
});

suite('the kill-tree script', pwsh.whyNot, () => {
  let bench: ScriptBench;
  /** The process that the scripts run in: they look for themselves. */
  let self: number;
  before(async () => {
    bench = new ScriptBench();
    self = Number((await bench.engine.run('$PID', '')).output);
  });
  after(() => bench[Symbol.asyncDispose]());

  /** This script's own chain: sshd (10) of this connection, its shell (11), and this PowerShell, all of minute 10. */
  const chain = () => [
    one(4, 0, 'System', null, 0),
    one(10, 4, 'sshd.exe', 'sshd.exe -z', 10),
    one(11, 10, 'cmd.exe', 'cmd /c powershell', 10),
    one(self, 11, 'pwsh.exe', 'pwsh marker-1', 10),
  ];
  const kill = async (...processes: ReturnType<typeof one>[]) => {
    const state = { processes: [...chain(), ...processes] };
    const { document, log } = await bench.run('killTree', { marker: 'marker-1' }, state);
    const stopped = log.filter(({ command }) => command === 'Stop-Process').map(({ detail }) => Number(detail));
    assert.deepEqual([...document.killed].sort(), [...stopped].sort(), 'it says what it did');
    return document.killed;
  };

  it('ends what the marker names with all that it started, and leaves itself and others alone', async () => {
    const killed = await kill(
      one(20, 10, 'cmd.exe', 'cmd /c "marker-1"', 11),
      one(21, 20, 'ping.exe', 'ping', 12),
      one(22, 21, 'conhost.exe', null, 12),
      one(30, 10, 'cmd.exe', 'another run', 11),
      one(40, 4, 'sshd.exe', 'sshd.exe -z', 5),
      one(41, 40, 'cmd.exe', 'cmd /c "marker-1"', 6),
    );
    assert.deepEqual(killed, [20, 21, 22]);
  });

  it('kills nothing where nothing is marked', async () => {
    assert.deepEqual(await kill(one(20, 10, 'cmd.exe', 'cmd', 11)), []);
  });

  it("spares a process that is older than what has its parent's id now", async () => {
    assert.deepEqual(
      await kill(one(20, 10, 'cmd.exe', 'marker-1', 11), one(21, 20, 'explorer.exe', 'explorer', -500)),
      [20],
    );
  });

  it('spares what descends from such a process', async () => {
    const killed = await kill(
      one(20, 10, 'cmd.exe', 'marker-1', 11),
      one(21, 20, 'explorer.exe', 'explorer', -500),
      one(22, 21, 'word.exe', 'word', 20),
    );
    assert.deepEqual(killed, [20]);
  });

  it('ends a child that began in the same moment as its parent', async () => {
    assert.deepEqual(await kill(one(20, 10, 'a', 'marker-1', 11), one(21, 20, 'b', 'b', 11)), [20, 21]);
  });

  it('is done with a cycle of parents within a second or two', async () => {
    const processes = [
      ...chain(),
      one(20, 22, 'a', 'marker-1', 11),
      one(21, 20, 'b', 'b', 11),
      one(22, 21, 'c', 'c', 11),
    ];
    const { ms } = await bench.run('killTree', { marker: 'marker-1' }, { processes });
    assert.ok(ms < 2_000, `${ms} ms`);
  });

  it('is done with a cycle that goes through what it ends', async () => {
    const [system, , shell, own] = chain();
    const sshd = one(10, 21, 'sshd.exe', 'sshd.exe -z', 10);
    const run = [one(20, 10, 'a', 'marker-1', 11), one(21, 20, 'b', 'b', 11)];
    const { document } = await bench.run(
      'killTree',
      { marker: 'marker-1' },
      { processes: [system, sshd, shell, own, ...run] as never },
    );
    assert.deepEqual(document, { found_sshd: true, killed: [20, 21] });
  });

  it('is done with a cycle above itself', async () => {
    const processes = [one(50, self, 'a', 'a', 1), one(self, 50, 'pwsh.exe', 'pwsh', 1)];
    const { document } = await bench.run('killTree', { marker: 'marker-1' }, { processes });
    assert.deepEqual(document, { found_sshd: false, killed: [] });
  });

  it('ends a chain of 3,000 processes without recursion', async () => {
    const long = Array.from({ length: 3_000 }, (_, index) =>
      one(10_000 + index, index === 0 ? 10 : 9_999 + index, 'a', index === 2_990 ? 'marker-1' : 'a', 11),
    );
    const { document } = await bench.run('killTree', { marker: 'marker-1' }, { processes: [...chain(), ...long] });
    assert.equal(document.killed.length, 10);
  });

  it('finds what is marked where dates are missing', async () => {
    const processes = [
      one(10, 4, 'sshd.exe', 'sshd.exe -z'),
      one(self, 10, 'pwsh.exe', 'pwsh', 10),
      one(20, 10, 'cmd.exe', 'marker-1'),
    ];
    const { document } = await bench.run('killTree', { marker: 'marker-1' }, { processes });
    assert.deepEqual(document, { found_sshd: true, killed: [20] });
  });

  it('spares a child without a date, which may be anybody', async () => {
    assert.deepEqual(await kill(one(20, 10, 'cmd.exe', 'marker-1', 11), one(21, 20, 'a', 'a')), [20]);
  });

  it('finds no sshd above a parent that began later than its child', async () => {
    const processes = [one(10, 4, 'sshd.exe', 'sshd', 30), one(self, 10, 'pwsh.exe', 'pwsh', 10)];
    const { document } = await bench.run('killTree', { marker: 'marker-1' }, { processes });
    assert.equal(document.found_sshd, false);
  });

  it('takes ids beyond 2,147,483,647', async () => {
    const processes = [...chain(), one(4_000_000_000, 10, 'cmd.exe', 'nothing', 11)];
    const { document } = await bench.run('killTree', { marker: 'marker-1' }, { processes });
    assert.deepEqual(document, { found_sshd: true, killed: [] });
  });

  it('does not count what it may not end', async () => {
    const state: MachineState = {
      processes: [...chain(), one(20, 10, 'a', 'marker-1', 11), one(21, 20, 'b', 'b', 11)],
      errors: { 'Stop-Process 21': { category: 'PermissionDenied', message: 'Access is denied' } },
    };
    const { document } = await bench.run('killTree', { marker: 'marker-1' }, state);
    assert.deepEqual(document.killed, [20]);
  });
});

suite('the ports script', pwsh.whyNot, () => {
  let bench: ScriptBench;
  before(() => {
    bench = new ScriptBench();
  });
  after(() => bench[Symbol.asyncDispose]());

  const listening = (address: string, pid: number, port = 7_887) => ({
    LocalAddress: address,
    LocalPort: port,
    State: 'Listen',
    OwningProcess: pid,
  });
  const ask = async (state: MachineState) => (await bench.run('ports', { ports: [7_887] }, state)).document.ports[0];

  for (const [first, second, wanted] of [
    ['127.0.0.1', '0.0.0.0', '0.0.0.0'],
    ['::1', '::', '::'],
    ['127.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '127.0.0.1', '0.0.0.0'],
  ] as const) {
    it(`says ${wanted} where ${first} and then ${second} is listed`, async () => {
      const answer = await ask({ connections: [listening(first, 1), listening(second, 2)], processes: [] });
      assert.equal(answer?.address, wanted);
    });
  }

  it('takes process ids beyond 2,147,483,647', async () => {
    const id = 4_000_000_000;
    const processes = [{ ProcessId: id, Name: 'a.exe', SessionId: 1 }];
    const answer = await ask({ connections: [listening('0.0.0.0', id)], processes });
    assert.deepEqual([answer?.pid, answer?.process], [id, 'a.exe']);
  });

  it('names no process where it has ended by then', async () => {
    const answer = await ask({ connections: [listening('0.0.0.0', 5)], processes: [] });
    assert.deepEqual([answer?.pid, answer?.process, answer?.session_id], [5, '', 0]);
  });

  it('says that access is denied instead of that nobody listens', async () => {
    const errors = { 'Get-NetTCPConnection': { category: 'PermissionDenied', message: 'Access is denied.' } };
    const { error } = await bench.fail('ports', { ports: [7_887] }, { errors });
    assert.match(error, /Access is denied/);
  });

  it('answers for no port and for many', async () => {
    for (const ports of [[], [1], Array.from({ length: 50 }, (_, index) => index + 1)]) {
      const { document } = await bench.run('ports', { ports }, { connections: [listening('0.0.0.0', 1, 3)] });
      assert.deepEqual(
        document.ports.map(({ port, listening: isListening }) => [port, isListening]),
        ports.map((port) => [port, port === 3]),
      );
    }
  });

  it('gives processes whose command line is not to be had, and texts of any kind', async () => {
    const processes = [
      { ProcessId: 1, Name: null, CommandLine: 'Größe ℃ 日本 "x"', SessionId: null },
      { ProcessId: 2, Name: 'b', CommandLine: null, SessionId: 1 },
    ];
    const { document } = await bench.run('processes', { contains: '℃ 日本' }, { processes });
    assert.deepEqual(document.processes, [{ pid: 1, name: '', command_line: 'Größe ℃ 日本 "x"', session_id: 0 }]);
  });

  it('names a session state that Windows may add one day, and fields that are empty', async () => {
    const sessions = [
      { Id: 1, User: 'me', Station: null, State: 12, Flags: -1 },
      { Id: 2, User: 'jürgen 日本', Domain: 'PC', Station: 'Console', State: 0, Flags: 1 },
      { Id: 3, User: '', State: 6, Flags: 0 },
    ];
    const { document } = await bench.run('sessions', {}, { sessions });
    assert.deepEqual(document.sessions, [
      { id: 1, user: 'me', domain: '', station: '', state: 'State 12', locked: false, lock_known: false },
      {
        id: 2,
        user: 'jürgen 日本',
        domain: 'PC',
        station: 'Console',
        state: 'Active',
        locked: false,
        lock_known: true,
      },
    ]);
  });
});
