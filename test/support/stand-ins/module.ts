import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pwsh, runPwsh } from '../engines.ts';

/** What Microsoft's reference says of one parameter. */
export interface Parameter {
  readonly type: string;
  readonly aliases?: readonly string[];
  readonly values?: readonly string[];
  readonly sets?: readonly string[];
  readonly required?: boolean;
  readonly position?: number;
  /** `(ByValue)`, `(ByPropertyName)`, or both. */
  readonly pipeline?: string;
}

export type Cmdlet = Readonly<Record<string, Parameter>>;

const here = fileURLToPath(new URL('.', import.meta.url));

/** Microsoft's parameters of every cmdlet, by module and cmdlet. */
const cmdletModules: Readonly<Record<string, Readonly<Record<string, Cmdlet>>>> = JSON.parse(
  readFileSync(join(here, 'cmdlets.json'), 'utf8'),
);

/** The same by cmdlet alone. */
export const cmdlets: ReadonlyMap<string, Cmdlet> = new Map(
  Object.values(cmdletModules).flatMap((module) => Object.entries(module)),
);

/** Which parameter set holds where nothing tells them apart; the reference does not say. */
const defaultSets: Readonly<Record<string, string>> = {
  'Get-NetFirewallRule': 'GetAll',
  'Get-NetFirewallPortFilter': 'GetAll',
  'Get-NetFirewallAddressFilter': 'GetAll',
  'Get-NetFirewallApplicationFilter': 'GetAll',
  'Get-NetFirewallServiceFilter': 'GetAll',
  'Remove-NetFirewallRule': 'ByName',
  'Get-CimInstance': 'ClassNameComputerSet',
  'Get-ScheduledTaskInfo': 'Name',
  'Start-ScheduledTask': 'Path',
  'Stop-ScheduledTask': 'Path',
  'Unregister-ScheduledTask': 'ByPath',
  'New-ScheduledTaskPrincipal': 'User',
  'Register-ScheduledTask': 'User',
  'Get-Service': 'Default',
  'Set-Service': 'Name',
  'Start-Service': 'Default',
  'Get-Acl': 'ByPath',
  'Set-Acl': 'ByPath',
  'Stop-Process': 'Id',
  'Add-WindowsCapability': 'Online',
  'Get-ItemProperty': 'Path',
  'Get-ChildItem': 'Items',
  'Get-Item': 'Path',
  'Move-Item': 'Path',
};

/** The class of what goes in where the reference only says `CimInstance`. */
const cimClasses: Readonly<Record<string, string>> = {
  AssociatedNetFirewallPortFilter: 'MSFT_NetProtocolPortFilter',
  AssociatedNetFirewallAddressFilter: 'MSFT_NetAddressFilter',
  AssociatedNetFirewallApplicationFilter: 'MSFT_NetApplicationFilter',
  AssociatedNetFirewallServiceFilter: 'MSFT_NetServiceFilter',
  AssociatedNetFirewallRule: 'MSFT_NetFirewallRule',
  Action: 'MSFT_TaskExecAction',
  Principal: 'MSFT_TaskPrincipal',
  Settings: 'MSFT_TaskSettings3',
  Trigger: 'MSFT_TaskTrigger',
};

const inputClasses: Readonly<Record<string, string>> = {
  'Remove-NetFirewallRule': 'MSFT_NetFirewallRule',
  'Register-ScheduledTask': 'MSFT_ScheduledTask',
  'Get-ScheduledTaskInfo': 'MSFT_ScheduledTask',
  'Start-ScheduledTask': 'MSFT_ScheduledTask',
  'Stop-ScheduledTask': 'MSFT_ScheduledTask',
  'Unregister-ScheduledTask': 'MSFT_ScheduledTask',
};

/** Types that the reference names as PowerShell does. */
const plainTypes =
  /^(String|U?Int(16|32|64)|Boolean|Byte|Char|Double|TimeSpan|DateTime|Uri|Version|Guid|Object|PSObject|ScriptBlock|PSCredential)(\[\])?$/;

const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** One parameter as PowerShell declares it. */
function declare(cmdlet: string, name: string, parameter: Parameter): string {
  const { type, values, pipeline = '' } = parameter;
  const list = type.endsWith('[]') ? '[]' : '';
  const common = [
    parameter.required ? 'Mandatory' : '',
    parameter.position === undefined ? '' : `Position=${parameter.position}`,
    pipeline.includes('ByValue') ? 'ValueFromPipeline' : '',
    pipeline.includes('ByPropertyName') ? 'ValueFromPipelineByPropertyName' : '',
  ];
  const attributes = (parameter.sets ?? ['']).map((set) => {
    const words = [set === '' ? '' : `ParameterSetName=${quote(set)}`, ...common].filter((word) => word !== '');
    return `[Parameter(${words.join(', ')})]`;
  });
  if (parameter.aliases) attributes.push(`[Alias(${parameter.aliases.map(quote).join(', ')})]`);
  const cim = type.startsWith('CimInstance')
    ? (cimClasses[name] ?? (name === 'InputObject' ? inputClasses[cmdlet] : name.replace(/^Associated/, 'MSFT_')))
    : undefined;
  if (cim) attributes.push(`[PSTypeName(${quote(`Microsoft.Management.Infrastructure.CimInstance#${cim}`)})]`);
  if (values) attributes.push(`[ValidateSet(${values.map(quote).join(', ')})]`);
  const declared =
    type === 'SwitchParameter' ? 'switch' : values ? `string${list}` : plainTypes.test(type) ? type : `psobject${list}`;
  return `        ${attributes.join(' ')} [${declared}]$${name}`;
}

/** The head of a function that takes exactly what the cmdlet takes. @throws Error if the reference has no such cmdlet */
function declareCmdlet(name: string): string {
  const cmdlet = cmdlets.get(name);
  if (cmdlet === undefined) throw new Error(`${name} is not in Microsoft's reference`);
  const own = Object.entries(cmdlet).filter(([parameter]) => parameter !== 'Confirm' && parameter !== 'WhatIf');
  const binding = [
    'PositionalBinding=$false',
    ...('WhatIf' in cmdlet ? ['SupportsShouldProcess'] : []),
    // It asks before it acts, as on Windows.
    ...(name === 'Unregister-ScheduledTask' ? ["ConfirmImpact='High'"] : []),
    ...(name in defaultSets ? [`DefaultParameterSetName='${defaultSets[name]}'`] : []),
  ];
  const parameters = own.map(([parameter, facts]) => declare(name, parameter, facts));
  return `    [CmdletBinding(${binding.join(', ')})]\n    param(\n${parameters.join(',\n')}\n    )`;
}

/**
 * Makes the module in a folder named for it, for `Import-Module` or PSModulePath, with the types compiled beside it.
 *
 * @param dir where `WindowsStandIns/` comes to lie
 * @param omit functions that the machine has itself, and that are therefore not stood in for
 * @returns the path of the module's manifest
 */
export function makeStandIns(dir: string, omit: readonly string[] = []): string {
  const folder = join(dir, 'WindowsStandIns');
  mkdirSync(folder, { recursive: true });
  const exported: string[] = [];
  const bodies = readdirSync(join(here, 'bodies')).sort(
    (a, b) => Number(b === 'state.ps1') - Number(a === 'state.ps1'),
  );
  const text = bodies.map((file) =>
    readFileSync(join(here, 'bodies', file), 'utf8').replace(/^function ([\w.-]+) \{$/gm, (line, name: string) => {
      const isNative = name.endsWith('.exe');
      if (!isNative && !cmdlets.has(name)) return line;
      if (!omit.includes(name)) exported.push(name);
      return isNative ? line : `${line}\n${declareCmdlet(name)}`;
    }),
  );
  writeFileSync(join(folder, 'WindowsStandIns.psm1'), `\uFEFF${text.join('\n')}`);
  const manifest = join(folder, 'WindowsStandIns.psd1');
  writeFileSync(
    manifest,
    [
      "@{ RootModule = 'WindowsStandIns.psm1'; ModuleVersion = '1.0'; GUID = '8f4e0f3e-6f0e-4f2e-9a5e-4f2c0e6d3b11'",
      `FunctionsToExport = @(${exported.map(quote).join(', ')}); CmdletsToExport = @(); AliasesToExport = @() }`,
    ].join('\n'),
  );
  copyFileSync(compiledTypes(), join(folder, 'StandIns.dll'));
  return manifest;
}

/** The types, compiled once on this machine: that takes more than a second, and each suite wants them. */
function compiledTypes(): string {
  const source = join(here, 'types.cs');
  const version = createHash('sha256').update(readFileSync(source)).update(`${pwsh.path}`).digest('hex').slice(0, 16);
  const compiled = join(tmpdir(), `win-automation-stand-ins-${version}.dll`);
  if (existsSync(compiled)) return compiled;
  const fresh = join(mkdtempSync(join(tmpdir(), 'win-automation-types-')), 'StandIns.dll');
  const compile = `Add-Type -Path ${quote(source)} -OutputAssembly ${quote(fresh)} -ErrorAction Stop`;
  const { exitCode, stderr } = runPwsh(['-Command', compile]);
  if (exitCode !== 0) throw new Error(`the stand-ins' types do not compile: ${stderr}`);
  renameSync(fresh, compiled);
  rmSync(dirname(fresh), { recursive: true });
  return compiled;
}
