import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { pwsh } from '../support/engines.ts';
import { ScriptBench } from '../support/script-bench.ts';
import { Machine, type MachineState } from '../support/stand-ins/machine.ts';
import { suite } from '../support/suite.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOurs me@linux';
const otherKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOther you@linux';
const request = { authorized_key: key, ports: [{ name: 'Aloha-7887', port: 7_887 }], remote_address: 'Any' };

/** A machine on which all is as it should be, but for what a test changes. */
const ready: MachineState = {
  services: [{ Name: 'sshd', Status: 'Running', StartType: 'Automatic' }],
  rules: [
    { DisplayName: 'OpenSSH SSH Server (sshd)', Protocol: 'TCP', LocalPort: ['22'] },
    { DisplayName: 'Aloha-7887', Protocol: 'TCP', LocalPort: ['7887'] },
  ],
  power: { STANDBYIDLE: { ac: 0, dc: 900 }, HIBERNATEIDLE: { ac: 0, dc: 900 }, VIDEOIDLE: { ac: 0, dc: 300 } },
};
const entry = (sid: string, type = 'Allow', inherited = false) => ({ sid, type, inherited });
const closed = { protected: true, owner: 'S-1-5-32-544', entries: [entry('S-1-5-18'), entry('S-1-5-32-544')] };

suite('the bootstrap script', pwsh.whyNot, () => {
  let bench: ScriptBench;
  before(() => {
    bench = new ScriptBench();
  });
  after(() => bench[Symbol.asyncDispose]());

  /** A machine whose file of keys holds some bytes, with an access list. */
  const withKeys = (
    bytes: Uint8Array | string | undefined,
    acl: Record<string, unknown> = closed,
    more: MachineState = {},
  ) => {
    const machine = new Machine();
    const file = join(machine.dir, 'ssh', 'administrators_authorized_keys');
    mkdirSync(join(machine.dir, 'ssh'));
    if (bytes !== undefined) writeFileSync(file, bytes);
    machine.set({ ...ready, acl: { [file]: acl }, ...more });
    return { machine, file, [Symbol.dispose]: () => machine[Symbol.dispose]() };
  };
  const steps = async (on: MachineState | Machine, input = request) => {
    const { document } = await bench.run('bootstrap', input, on);
    return Object.fromEntries(
      document.steps.map(({ step, state, detail }) => [step, detail === '' ? state : `${state}: ${detail}`]),
    );
  };

  it('makes a bare machine ready, and has nothing to do the second time', async () => {
    using machine = new Machine({ power: { STANDBYIDLE: { ac: 1_800, dc: 900 }, VIDEOIDLE: { ac: 600, dc: 300 } } });
    const [first, second] = [await steps(machine), await steps(machine)];
    const node = 'failed: Node.js LTS is not installed: winget install OpenJS.NodeJS.LTS';
    assert.deepEqual(first, {
      openssh_server: 'changed',
      sshd_running: 'changed',
      authorized_key: 'changed',
      authorized_key_acl: 'changed',
      firewall_22: 'changed',
      firewall_7887: 'changed',
      'power_standby-timeout-ac': 'changed',
      'power_hibernate-timeout-ac': 'ok',
      'power_monitor-timeout-ac': 'changed',
      node,
    });
    assert.deepEqual(second, { ...Object.fromEntries(Object.keys(first).map((step) => [step, 'ok'])), node });
  });

  it('says nothing of a key where none is given', async () => {
    assert.equal('authorized_key' in (await steps(ready, { ...request, authorized_key: '' })), false);
  });

  for (const [what, content] of [
    ['without an end of its last line', otherKey],
    ['with one', `${otherKey}\n`],
    ['as Windows writes it', `${otherKey}\r\n`],
    ['in UTF-16, as PowerShell writes it', Buffer.from(`\uFEFF${otherKey}\r\n`, 'utf16le')],
    ['in UTF-16 without a byte order mark', Buffer.from(`${otherKey}\r\n`, 'utf16le')],
    ['with a byte order mark', `\uFEFF${otherKey}\n`],
  ] as const) {
    it(`keeps another key of a file ${what}, and puts ours on a line of its own`, async () => {
      using keys = withKeys(content);
      assert.equal((await steps(keys.machine))['authorized_key'], 'changed');
      assert.equal(readFileSync(keys.file, 'latin1'), `${otherKey}\r\n${key}\r\n`);
    });
  }

  it('leaves a file alone that has our key', async () => {
    const content = `# ours\n${key}\n${otherKey}`;
    using keys = withKeys(content);
    assert.equal((await steps(keys.machine))['authorized_key'], 'ok');
    assert.equal(readFileSync(keys.file, 'utf8'), content);
  });

  it('makes a file of UTF-16 that has our key one that sshd can read', async () => {
    using keys = withKeys(Buffer.from(`\uFEFF${key}\r\n`, 'utf16le'));
    assert.equal((await steps(keys.machine))['authorized_key'], 'changed');
    assert.equal(readFileSync(keys.file, 'latin1'), `${key}\r\n`);
  });

  for (const [what, acl] of [
    ['another explicit entry', { ...closed, entries: [...closed.entries, entry('S-1-5-32-545')] }],
    ['an entry of an account that is gone', { ...closed, entries: [...closed.entries, entry('S-1-5-21-1-2-3-1001')] }],
    ['entries that are inherited', { ...closed, protected: false, entries: [entry('S-1-5-18', 'Allow', true)] }],
    ['an entry that denies', { ...closed, entries: [...closed.entries, entry('S-1-5-32-544', 'Deny')] }],
    ['no entry for SYSTEM', { ...closed, entries: [entry('S-1-5-32-544')] }],
    ['an owner who may open it again', { ...closed, owner: 'S-1-5-21-1-2-3-1001' }],
  ] as const) {
    it(`closes a file of keys that has ${what}`, async () => {
      using keys = withKeys(`${key}\n`, acl);
      assert.equal((await steps(keys.machine))['authorized_key_acl'], 'changed');
      assert.deepEqual(keys.machine.state.acl?.[keys.file], closed);
    });
  }

  it('leaves an access list alone that is right', async () => {
    using keys = withKeys(`${key}\n`);
    assert.equal((await steps(keys.machine))['authorized_key_acl'], 'ok');
  });

  it('says why an access list can not be set', async () => {
    using keys = withKeys(`${key}\n`, { ...closed, protected: false }, { icacls_exit_code: 5 });
    assert.match((await steps(keys.machine))['authorized_key_acl'] ?? '', /^failed: icacls.exe ended with 5/);
  });

  it('changes a power setting only where it is another, and says so only then', async () => {
    const power = { ...ready.power, VIDEOIDLE: { ac: 600, dc: 300 } };
    using machine = new Machine({ ...ready, power });
    const done = await steps(machine);
    assert.deepEqual(
      [done['power_standby-timeout-ac'], done['power_monitor-timeout-ac'], machine.state.power?.['VIDEOIDLE']],
      ['ok', 'changed', { ac: 0, dc: 300 }],
    );
    assert.equal(machine.log.filter(({ command }) => command === 'powercfg /change').length, 1);
  });

  it('does not call a power setting changed that did not change', async () => {
    const power = { ...ready.power, VIDEOIDLE: { ac: 600, dc: 300 } };
    const done = await steps({ ...ready, power, power_is_stuck: true });
    assert.match(done['power_monitor-timeout-ac'] ?? '', /^failed: it was changed, but/);
  });

  it('opens port 22 where Windows opens it for private networks alone', async () => {
    const rules = [
      { DisplayName: 'OpenSSH SSH Server (sshd)', Protocol: 'TCP', LocalPort: ['22'], Profile: 'Private' },
    ];
    using machine = new Machine({ ...ready, rules });
    assert.equal((await steps(machine))['firewall_22'], 'changed');
    assert.equal((await steps(machine))['firewall_22'], 'ok');
  });

  it('names the rule that blocks port 22', async () => {
    const rules = [{ DisplayName: 'no SSH', Action: 'Block', Protocol: 'TCP', LocalPort: ['20-30'] }];
    assert.match((await steps({ ...ready, rules }))['firewall_22'] ?? '', /^failed: port 22 is blocked by: no SSH$/);
  });

  it('names the rule that blocks one of the ports', async () => {
    const rules = [...(ready.rules ?? []), { DisplayName: 'no Aloha', Action: 'Block', Protocol: 'Any' }];
    assert.match(
      (await steps({ ...ready, rules }))['firewall_7887'] ?? '',
      /^failed: port 7887 is blocked by: no Aloha$/,
    );
  });

  it('does not take a rule of the right name on another port for the right one', async () => {
    const rules = [
      ...(ready.rules ?? []).slice(0, 1),
      { DisplayName: 'Aloha-7887', Protocol: 'TCP', LocalPort: ['80'] },
    ];
    using machine = new Machine({ ...ready, rules });
    assert.equal((await steps(machine))['firewall_7887'], 'changed');
    assert.deepEqual(
      machine.state.rules?.map(({ LocalPort }) => LocalPort),
      [['22'], ['7887']],
    );
  });

  it('changes a rule for other addresses than those wanted', async () => {
    using machine = new Machine(ready);
    const input = { ...request, remote_address: '10.0.0.0/8' };
    assert.equal((await steps(machine, input))['firewall_7887'], 'changed');
    assert.equal((await steps(machine, input))['firewall_7887'], 'ok');
  });

  it('goes on after a step that failed, and says that access was denied', async () => {
    const errors = { 'Get-Service': { category: 'PermissionDenied', message: 'Access is denied.' } };
    const done = await steps({ ...ready, errors });
    assert.match(done['openssh_server'] ?? '', /^failed: .*Access is denied/);
    assert.equal(done['firewall_22'], 'ok');
  });
});
