import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { ScriptOutput } from '../../src/windows/powershell/contracts.ts';
import { pwsh } from '../support/engines.ts';
import { ScriptBench } from '../support/script-bench.ts';
import { Machine, type MachineState } from '../support/stand-ins/machine.ts';
import { suite } from '../support/suite.ts';

type Report = ScriptOutput<'firewall'>['rules'][number];

const allow = { DisplayName: 'ours', Protocol: 'TCP', LocalPort: ['7887'] };
const block = { DisplayName: 'blocker', Action: 'Block', Protocol: 'TCP', LocalPort: ['7887'] };

suite('the firewall script', pwsh.whyNot, () => {
  let bench: ScriptBench;
  before(() => {
    bench = new ScriptBench();
  });
  after(() => bench[Symbol.asyncDispose]());

  const ask = async (
    action: 'query' | 'ensure' | 'remove',
    on: MachineState | Machine,
    remote = 'Any',
    name = 'ours',
  ): Promise<Report> => {
    const rules = [{ name, port: 7_887, remote_address: remote }];
    const { document } = await bench.run('firewall', { action, rules }, on);
    return document.rules[0] as Report;
  };
  const query = (rules: MachineState['rules'], remote = 'Any', more: MachineState = {}) =>
    ask('query', { rules: rules ?? [], ...more }, remote);

  it('answers for no rule, one rule and many rules', async () => {
    for (const count of [0, 1, 20]) {
      const rules = Array.from({ length: count }, (_, index) => ({ name: `rule ${index}`, port: 7_000 + index }));
      const { document } = await bench.run('firewall', { action: 'ensure', rules });
      assert.deepEqual(
        document.rules.map(({ name, allows, changed }) => [name, allows, changed]),
        rules.map(({ name }) => [name, true, true]),
      );
    }
  });

  for (const [how, rule] of [
    ['for the port alone', block],
    ['for a range of ports', { ...block, LocalPort: ['7880-7890'] }],
    ['for one port of a list', { ...block, LocalPort: ['80', '7000-7900'] }],
    ['for any port', { ...block, LocalPort: ['Any'] }],
    ['for any protocol', { ...block, Protocol: 'Any', LocalPort: ['Any'] }],
    ['on public networks alone', { ...block, Profile: 'Public' }],
    ['for one address alone', { ...block, RemoteAddress: ['203.0.113.9'] }],
    ['for the program that listens', { ...block, LocalPort: ['Any'], Program: 'C:\\Python\\python.exe' }],
  ] as const) {
    it(`sees a rule that blocks ${how}, and names it`, async () => {
      const listener = {
        connections: [{ LocalAddress: '0.0.0.0', LocalPort: 7_887, State: 'Listen', OwningProcess: 8 }],
        processes: [{ ProcessId: 8, Name: 'python.exe', ExecutablePath: 'C:\\Python\\python.exe' }],
      };
      const { allows, blocked_by } = await query([allow, rule], 'Any', listener);
      assert.deepEqual({ allows, blocked_by }, { allows: false, blocked_by: ['blocker'] });
    });
  }

  for (const [what, rule] of [
    ['another port', { ...block, LocalPort: ['7888'] }],
    ['a range that ends before the port', { ...block, LocalPort: ['7000-7886'] }],
    ['UDP', { ...block, Protocol: 'UDP' }],
    ['outbound connections', { ...block, Direction: 'Outbound' }],
    ['another program', { ...block, LocalPort: ['Any'], Program: 'C:\\skype.exe' }],
    ['a service', { ...block, LocalPort: ['Any'], Service: 'wcncsvc' }],
    ['an app package', { ...block, LocalPort: ['Any'], Package: 'S-1-15-2-1' }],
  ] as const) {
    it(`takes no notice of a rule that blocks ${what}`, async () => {
      const { allows, blocked_by } = await query([allow, rule]);
      assert.deepEqual({ allows, blocked_by }, { allows: true, blocked_by: [] });
    });
  }

  it('takes no notice of a rule that is switched off', async () => {
    assert.equal((await query([allow, { ...block, Enabled: 'False' }])).allows, true);
  });

  it('sees that a port is allowed by a range alone', async () => {
    assert.equal((await query([{ ...allow, DisplayName: 'other', LocalPort: ['7880-7890'] }])).allows, true);
  });

  it('does not call a port allowed that only one address may reach', async () => {
    assert.equal((await query([{ ...allow, RemoteAddress: ['10.0.0.5'] }])).allows, false);
  });

  it('does not call a port allowed that only public networks may reach', async () => {
    assert.equal((await query([{ ...allow, Profile: 'Public' }])).allows, false);
  });

  it('calls a port allowed whose rule has all three kinds of network', async () => {
    assert.equal((await query([{ ...allow, Profile: 'Domain, Private, Public' }])).allows, true);
  });

  for (const [wanted, given] of [
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.0.0.0/255.0.0.0', '10.0.0.0/8'],
    ['10.0.0.5/32', '10.0.0.5'],
    ['10.0.0.5', '10.0.0.5/255.255.255.255'],
    ['10.0.0.1-10.0.0.9', '10.0.0.1-10.0.0.9'],
    ['fd00::/8', 'FD00::/8'],
    ['LocalSubnet', 'LocalSubnet'],
  ] as const) {
    it(`changes nothing where ${wanted} is wanted and Windows holds ${given}`, async () => {
      const { allows, changed } = await ask('ensure', { rules: [{ ...allow, RemoteAddress: [given] }] }, wanted);
      assert.deepEqual({ allows, changed }, { allows: true, changed: false });
    });
  }

  for (const remote of ['Any', '10.0.0.0/8', '192.0.2.7', '10.0.0.1-10.0.0.9', 'fd00::/8']) {
    it(`makes a rule for ${remote} once`, async () => {
      using machine = new Machine();
      const first = await ask('ensure', machine, remote);
      const second = await ask('ensure', machine, remote);
      assert.deepEqual([first.changed, first.allows, second.changed], [true, true, false]);
    });
  }

  it('allows an address of a network that is allowed, and none outside', async () => {
    const rules = [{ ...allow, RemoteAddress: ['10.0.0.0/8'] }];
    assert.equal((await query(rules, '10.1.2.3')).allows, true);
    assert.equal((await query(rules, '11.1.2.3')).allows, false);
  });

  it('keeps the rule that is there if the new one can not be made', async () => {
    const rules = [{ name: 'ours', port: 7_887, remote_address: 'nonsense' }];
    const { error, log } = await bench.fail('firewall', { action: 'ensure', rules }, { rules: [allow] });
    assert.match(error, /The address is invalid/);
    assert.deepEqual(log, []);
  });

  it('makes the new rule before it takes the old one away', async () => {
    const rules = [{ name: 'ours', port: 7_887, remote_address: '10.0.0.5' }];
    const { log } = await bench.run('firewall', { action: 'ensure', rules }, { rules: [allow] });
    assert.deepEqual(
      log.map(({ command }) => command),
      ['New-NetFirewallRule', 'Remove-NetFirewallRule'],
    );
  });

  it('does not take a rule of the same name on another port for ours', async () => {
    using machine = new Machine({ rules: [{ ...allow, LocalPort: ['80'] }] });
    const { changed, allows } = await ask('ensure', machine);
    const ports = machine.state.rules?.map(({ LocalPort }) => LocalPort);
    assert.deepEqual({ changed, allows, ports }, { changed: true, allows: true, ports: [['7887']] });
  });

  it('leaves one of two rules of the same name', async () => {
    using machine = new Machine({ rules: [allow, { ...allow, LocalPort: ['80'] }] });
    await ask('ensure', machine);
    assert.deepEqual(
      machine.state.rules?.map(({ LocalPort }) => LocalPort),
      [['7887']],
    );
  });

  for (const name of ['*', 'ours [x]', 'Größe ℃ 日本', "it's"]) {
    it(`takes the name ${name} for a name, not a pattern`, async () => {
      using machine = new Machine({ rules: [{ ...allow, DisplayName: 'stranger' }] });
      await ask('ensure', machine, 'Any', name);
      const again = await ask('ensure', machine, 'Any', name);
      const removed = await ask('remove', machine, 'Any', name);
      const left = machine.state.rules?.map(({ DisplayName }) => DisplayName);
      assert.deepEqual([again.changed, removed.changed, left], [false, true, ['stranger']]);
    });
  }

  it('says that access is denied instead of that there is no rule', async () => {
    const errors = { 'Get-NetFirewallRule': { category: 'PermissionDenied', message: 'Access is denied.' } };
    const { error } = await bench.fail('firewall', { action: 'query', rules: [{ name: 'x', port: 1 }] }, { errors });
    assert.match(error, /Access is denied/);
  });

  it('fails in the middle without a document, and what was done stays done', async () => {
    const errors = {
      'New-NetFirewallRule': { category: 'NotSpecified', message: 'The service is stopping.', after: 1 },
    };
    const rules = [
      { name: 'a', port: 1 },
      { name: 'b', port: 2 },
    ];
    const { error, log } = await bench.fail('firewall', { action: 'ensure', rules }, { errors });
    assert.match(error, /The service is stopping/);
    assert.equal(log.filter(({ command }) => command === 'New-NetFirewallRule').length, 1);
  });
});
