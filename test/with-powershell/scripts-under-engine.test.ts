import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, it } from 'node:test';
import * as v from 'valibot';
import { encodedCommandLine } from '../../src/windows/powershell/command-line.ts';
import { callableScript, composeScript, encodeArgument } from '../../src/windows/powershell/compose.ts';
import { type ContractName, contracts, type ScriptOutput } from '../../src/windows/powershell/contracts.ts';
import { scripts } from '../../src/windows/powershell/scripts.ts';
import { pwsh } from '../support/engines.ts';
import { openPersistent } from '../support/persistent.ts';
import { ScriptBench } from '../support/script-bench.ts';
import { Machine, type MachineState } from '../support/stand-ins/machine.ts';
import { suite } from '../support/suite.ts';

/** Cultures whose dates, digits, separators or letters differ from the invariant ones. */
const cultures = ['de-DE', 'tr-TR', 'fi-FI', 'th-TH', 'ar-SA'];

/** A machine with something of everything, in letters of many languages, and with gaps. */
const full: MachineState = {
  user: 'PC\\jürgen 日本',
  is_admin: true,
  rules: [
    { DisplayName: 'İstanbul ℃', Protocol: 'TCP', LocalPort: ['7880-7890', '80'], RemoteAddress: ['10.0.0.0/8'] },
    { DisplayName: '', Action: 'Block', Protocol: 'TCP', LocalPort: ['81'] },
    { DisplayName: null, Direction: 'Outbound' },
  ],
  tasks: [{ TaskName: 'İş', TaskPath: '\\', State: 'Ready', Principal: null, LastTaskResult: 267011 }],
  tasks_end: { State: 'Ready', LastTaskResult: 1 },
  processes: [
    { ProcessId: 4, ParentProcessId: 0, Name: 'System', CommandLine: null, CreationDate: null, SessionId: null },
    { ProcessId: 9, ParentProcessId: 4, Name: 'a.exe', CommandLine: 'a İıiI 日本 1,5', SessionId: 1 },
  ],
  connections: [{ LocalAddress: '0.0.0.0', LocalPort: 7_887, State: 'Listen', OwningProcess: 9 }],
  services: [{ Name: 'sshd', Status: 'Running', StartType: 'Automatic', PathName: null }],
  sessions: [{ Id: 1, User: 'jürgen 日本', Domain: null, Station: null, State: 0, Flags: 0 }],
  desktop: [0, 0, 1_024, 768],
  cim: {
    Win32_OperatingSystem: [
      {
        Caption: 'Windows İ 日本',
        Version: '10.0.26100',
        BuildNumber: '26100',
        LastBootUpTime: '2026-01-02T03:04:05Z',
      },
    ],
    Win32_LogicalDisk: [{ DeviceID: 'C:', FreeSpace: 12_345_678_901, Size: 98_765_432_109 }],
    Win32_ComputerSystem: [{ UserName: 'PC\\jürgen' }],
  },
  registry: {
    'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Nls\\CodePage': { OEMCP: '857' },
    'HKLM:\\SOFTWARE\\OpenSSH': { DefaultShell: 'C:\\Windows\\System32\\cmd.exe' },
  },
  power: { STANDBYIDLE: { ac: 1_800, dc: 900 }, VIDEOIDLE: { ac: 600, dc: 300 } },
};

/** What each script is asked, and whether it then fails; paths are below the machine's folder. */
const cases: { readonly [N in ContractName]: (dir: string) => unknown } = {
  echo: () => ({ text: 'İıiI ℃ 日本 😀 1,5 "\'`$(x)\r\n' }),
  facts: () => ({}),
  sessions: () => ({}),
  firewall: () => ({ action: 'ensure', rules: [{ name: 'İI', port: 7_887, remote_address: 'Any' }] }),
  playwright: (dir) => ({ dir }),
  ports: () => ({ ports: [7_887, 1] }),
  processes: () => ({ contains: 'İıiI 日本' }),
  task: () => ({ action: 'register', name: 'İI 日本', execute: 'ü', principal: 'interactive', trigger: 'startup' }),
  killTree: () => ({ marker: 'İ' }),
  interactive: () => ({ id: 'a', script: '', argument: '', timeout_s: 20 }),
  screenshot: (dir) => ({ path: join(dir, 'İ.png') }),
  secretFile: (dir) => ({ path: join(dir, 'İ', 'secret') }),
  closedFolder: (dir) => ({ path: join(dir, 'İ') }),
  artifacts: (dir) => ({ action: 'remove', root: join(dir, 'jobs'), job_ids: ['JOB-I'] }),
  hash: (dir) => ({ paths: [join(dir, 'jobs', 'job-i', 'İ.txt')] }),
  bootstrap: () => ({
    authorized_key: 'ssh-ed25519 AAAA İ',
    ports: [{ name: 'İI', port: 7_887 }],
    remote_address: 'Any',
  }),
};
const names = Object.keys(cases) as ContractName[];
/** The stand-in task of these cases ends and leaves nothing; scripts-tasks.test.ts has those that do. */
const failing: Partial<Record<ContractName, RegExp>> = { interactive: /left no result; its last result is 1/ };

const machineOf = (): Machine => {
  const machine = new Machine(full);
  for (const job of ['JOB-I', 'job-i']) {
    mkdirSync(join(machine.dir, 'jobs', job), { recursive: true });
    writeFileSync(join(machine.dir, 'jobs', job, 'İ.txt'), 'İ');
  }
  return machine;
};

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a script as the product does that starts a PowerShell for it: in the process's first and global scope, where its
 * `exit` is the process's. Only then can the stand-ins' types be there before its text is compiled.
 */
function runFresh(name: ContractName, machine: Machine, module: string, culture: string): Promise<Ended> {
  const file = join(machine.dir, 'script.ps1');
  writeFileSync(file, composeScript(scripts[name], cases[name](machine.dir)));
  const text = `Import-Module -Name '${module}'\n. ([scriptblock]::Create([IO.File]::ReadAllText('${file}')))`;
  const commandLine = encodedCommandLine(text, 'pwsh');
  const locale = `${culture.replace('-', '_')}.UTF-8`;
  const env = { ...process.env, ...machine.environment, LC_ALL: locale, LANG: locale };
  return new Promise((resolve) => {
    const child = execFile(pwsh.path ?? '', commandLine.split(' ').slice(1), { env }, (error, stdout, stderr) =>
      resolve({ exitCode: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
    );
    child.stdin?.end('c8OpY3JldA==\n');
  });
}

suite('every script under the engine', pwsh.whyNot, () => {
  let bench: ScriptBench;
  before(() => {
    bench = new ScriptBench();
  });
  after(() => bench[Symbol.asyncDispose]());

  const parse = <N extends ContractName>(name: N, output: string) =>
    v.parse(contracts[name].output, JSON.parse(output)) as ScriptOutput<N>;
  const kept = async (name: ContractName, culture: string, state?: MachineState) => {
    using machine = machineOf();
    if (state) machine.set(state);
    const stdin = 'c8OpY3JldA==\n';
    const answer = await bench.engine.script(scripts[name], cases[name](machine.dir), machine, { culture, stdin });
    // What differs from run to run: the folder, the time, and what a process is called.
    const output = answer.output
      .replaceAll(machine.dir, 'DIR')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z|"uptime_s":\d+/g, 'TIME');
    return { ...answer, output, raw: answer.output };
  };

  it('really runs under the culture that is asked for', async () => {
    const { output } = await bench.engine.run("(1.5).ToString() + ' ' + [cultureinfo]::CurrentCulture.Name", '', {
      culture: 'de-DE',
    });
    assert.equal(output, '1,5 de-DE');
  });

  for (const name of names) {
    const reason = failing[name];
    // This one waits for its task each time.
    const tried = name === 'interactive' ? cultures.slice(-1) : cultures;
    it(`${name} gives under ${tried.join(', ')} what it gives under none`, async () => {
      const plain = await kept(name, '');
      assert.equal(plain.ok, reason === undefined, plain.error);
      for (const culture of tried) {
        const answer = await kept(name, culture);
        assert.deepEqual([answer.ok, answer.error, answer.output], [plain.ok, plain.error, plain.output], culture);
        if (reason) assert.match(answer.error, reason);
        else parse(name, answer.raw);
      }
    });

    it(`${name} gives started anew what it gives where PowerShell stays`, async () => {
      using machine = machineOf();
      const culture = cultures[names.indexOf(name) % cultures.length] ?? '';
      const fresh = await runFresh(name, machine, bench.engine.module, culture);
      if (reason) {
        assert.equal(fresh.exitCode, 1);
        assert.match(fresh.stderr, reason);
        return;
      }
      assert.equal(fresh.exitCode, 0, fresh.stderr);
      parse(name, fresh.stdout);
      assert.equal(fresh.stderr, '');
      const stays = JSON.parse((await kept(name, culture)).raw);
      assert.deepEqual(Object.keys(JSON.parse(fresh.stdout)), Object.keys(stays));
    });
  }

  it('every script gives in the persistent session what it gives in an engine of its own', {
    timeout: 240_000,
  }, async () => {
    using machine = machineOf();
    await using session = await openPersistent({ env: machine.environment });
    for (const [index, name] of names.entries()) {
      // This one reads standard input, which the persistent session has none of: the product starts a PowerShell for it.
      if (name === 'secretFile') continue;
      machine.set(full);
      const culture = cultures[index % cultures.length] ?? '';
      const file = join(machine.dir, 'script.ps1');
      writeFileSync(file, callableScript(scripts[name]));
      // The stand-ins' types have to be there before the script is compiled.
      const text = [
        `Import-Module -Name '${bench.engine.module}'`,
        `[cultureinfo]::CurrentCulture = '${culture}'`,
        `. ([scriptblock]::Create([IO.File]::ReadAllText('${file}'))) $args[0]`,
      ].join('\n');
      const ran = session.run(text, encodeArgument(v.parse(contracts[name].input, cases[name](machine.dir))));
      const reason = failing[name];
      if (reason !== undefined) await assert.rejects(ran, reason, name);
      else {
        const document = parse(name, await ran);
        assert.deepEqual(Object.keys(document), Object.keys(parse(name, (await kept(name, culture)).raw)), name);
      }
    }
  });

  for (const culture of cultures) {
    it(`the facts say what time it is under ${culture}`, async () => {
      const { raw } = await kept('facts', culture);
      const { utc_now, uptime_s, disk_free_bytes, oem_code_page } = parse('facts', raw);
      const booted = Date.parse(utc_now) - uptime_s * 1_000 - Date.UTC(2026, 0, 2, 3, 4, 5);
      assert.ok(Math.abs(Date.parse(utc_now) - Date.now()) < 60_000, utc_now);
      assert.ok(Math.abs(booted) < 2_000, `${booted} ms off`);
      assert.deepEqual([disk_free_bytes, oem_code_page], [12_345_678_901, 857]);
    });

    it(`artifacts say when they were made under ${culture}`, async () => {
      const { raw } = await kept('artifacts', culture);
      const created = parse('artifacts', raw).jobs[0]?.created_at ?? '';
      assert.ok(Math.abs(Date.parse(created) - Date.now()) < 60_000, created);
    });
  }

  for (const [missing, state] of [
    ['everything', {}],
    ['all that CIM tells', { ...full, cim: {} }],
    ['the operating system', { ...full, cim: { ...full.cim, Win32_OperatingSystem: [] } }],
    [
      'properties of the operating system',
      { ...full, cim: { ...full.cim, Win32_OperatingSystem: [{ Caption: null }] } },
    ],
    ['drive C:', { ...full, cim: { ...full.cim, Win32_LogicalDisk: [] } }],
    ['the path of sshd', { ...full, services: [{ Name: 'sshd', PathName: null }] }],
    ['the program of sshd', { ...full, services: [{ Name: 'sshd', PathName: '"C:\\no such\\sshd.exe" -x' }] }],
    ['the registry', { ...full, registry: {} }],
    [
      'a code page that is a number',
      { ...full, registry: { 'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Nls\\CodePage': { OEMCP: 'x' } } },
    ],
  ] as const) {
    it(`the facts survive without ${missing}`, async () => {
      const { ok, error, raw } = await kept('facts', 'de-DE', state);
      assert.ok(ok, error);
      assert.notEqual(parse('facts', raw).hostname, '');
    });
  }

  it('the facts tell the version of the system where CIM does not answer', async () => {
    const { os_version, os_build } = parse('facts', (await kept('facts', 'ar-SA', { ...full, cim: {} })).raw);
    assert.match(os_version, /^\d+\.\d+\.\d+$/);
    assert.equal(os_build, Number(os_version.split('.')[2]));
  });

  it('the facts name the version of sshd, whose path is in quotes and followed by arguments', async () => {
    const home = (await bench.engine.run('$PSHOME', '')).output;
    const services = [{ Name: 'sshd', PathName: `"${home}/pwsh.dll" -E log` }];
    assert.match(parse('facts', (await kept('facts', 'de-DE', { ...full, services })).raw).openssh_version, /^7\./);
  });

  it('scripts fail with their own words where Windows denies them something, fresh and where PowerShell stays', async () => {
    using machine = new Machine({
      errors: { 'Get-CimInstance Win32_Process': { category: 'PermissionDenied', message: 'Zugriff verweigert ü' } },
    });
    const fresh = await runFresh('processes', machine, bench.engine.module, 'de-DE');
    const stays = await bench.engine.script(scripts.processes, cases.processes(''), machine);
    assert.deepEqual(
      [fresh.exitCode, fresh.stdout, fresh.stderr.trim(), stays.ok, stays.error],
      [1, '', 'Zugriff verweigert ü', false, 'Zugriff verweigert ü'],
    );
  });
});
