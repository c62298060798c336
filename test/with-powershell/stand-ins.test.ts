import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { pwsh } from '../support/engines.ts';
import { PowershellEngine } from '../support/powershell-engine.ts';
import { Machine, type MachineState } from '../support/stand-ins/machine.ts';
import { cmdlets } from '../support/stand-ins/module.ts';
import { suite } from '../support/suite.ts';

suite('the stand-ins for what only Windows has', pwsh.whyNot, () => {
  let engine: PowershellEngine;
  before(() => {
    engine = new PowershellEngine();
  });
  after(() => engine[Symbol.asyncDispose]());

  const run = async (text: string, state: MachineState = {}) => {
    using machine = new Machine(state);
    return await engine.run(text, '', { environment: machine.environment });
  };
  const rules = [
    { DisplayName: 'one', Protocol: 'TCP', LocalPort: ['1'], RemoteAddress: ['10.0.0.0/8', '192.0.2.1/32'] },
    { DisplayName: 'one [x]', Protocol: 'TCP', LocalPort: ['2', '3-4'] },
  ];

  it("come from Microsoft's parameters of 579 cmdlets", () => assert.equal(cmdlets.size, 579));

  for (const [what, text, reason] of [
    ['a parameter that the cmdlet lacks', 'Get-NetFirewallRule -DisplayNames x', /DisplayNames/],
    ['a value that the parameter lacks', 'New-NetFirewallRule -DisplayName x -Action Permit', /Permit/],
    [
      'parameters that exclude each other',
      'Get-NetFirewallRule -DisplayName a -Name b',
      /Parameter set cannot be resolved/,
    ],
    ['a required parameter that is missing', 'New-NetFirewallRule -Action Allow', /DisplayName/],
    ['text where a number is wanted', 'Get-NetTCPConnection -LocalPort x', /'x' was not in a correct format/],
    [
      'an object of another class',
      'Get-NetFirewallPortFilter | Get-ScheduledTaskInfo',
      /MSFT_ScheduledTask|input object/i,
    ],
    ['a rule with a port that is none', 'New-NetFirewallRule -DisplayName x -LocalPort y', /port is invalid/],
    ['a class that CIM lacks', 'Get-CimInstance -ClassName Win32_Nothing', /Invalid class/],
    ['a task that asks before it goes', 'Unregister-ScheduledTask -TaskName t', /.+/],
  ] as const) {
    it(`refuse ${what}`, async () => {
      const tasks = [{ TaskName: 't', TaskPath: '\\', State: 'Ready' }];
      const { ok, error, output } = await run(text, { rules, tasks });
      assert.equal(ok, false, output);
      assert.match(error, reason);
    });
  }

  for (const [what, text, wanted] of [
    ['take a name for a pattern', "@(Get-NetFirewallRule -DisplayName 'one*').Count", '2'],
    [
      'find a name with brackets where they are escaped',
      "(Get-NetFirewallRule -DisplayName 'one [[]x]').DisplayName",
      'one [x]',
    ],
    [
      'give a network back with its mask, and one address without',
      "(Get-NetFirewallRule -DisplayName 'one' | Get-NetFirewallAddressFilter).RemoteAddress -join ' '",
      '10.0.0.0/255.0.0.0 192.0.2.1',
    ],
    [
      'give one port as text and several as a list',
      "(Get-NetFirewallPortFilter | ForEach-Object { $_.LocalPort.GetType().Name }) -join ' '",
      'String Object[]',
    ],
    [
      'find nothing by an error that says so and stops nobody',
      "$ErrorActionPreference = 'Continue'; Get-NetFirewallRule -DisplayName none 2>$null; [string]$Error[0].CategoryInfo.Category",
      'ObjectNotFound',
    ],
    ['find no pattern without an error', "@(Get-NetFirewallRule -DisplayName 'none*').Count", '0'],
    ['compare enumerations as text', "(Get-NetFirewallRule -DisplayName one).Enabled -eq 'True'", 'True'],
  ] as const) {
    it(what, async () => {
      const { output, error } = await run(text, { rules });
      assert.equal(output, wanted, error);
    });
  }
});
