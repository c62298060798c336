import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { versions } from '../core/version.ts';
import { decodeArgument } from '../windows/powershell/compose.ts';
import { type ContractName, contracts, type ScriptInput, type ScriptOutput } from '../windows/powershell/contracts.ts';
import { localPath } from './paths.ts';
import { desktopPng } from './png.ts';
import type { LabProcess, LabState } from './state.ts';

/** What a script finds around itself. */
export interface ScriptContext {
  readonly state: LabState;
  /** The powershell.exe that runs it. */
  readonly process: LabProcess;
  /** The first line of its standard input. */
  readonly stdinLine: () => Promise<string>;
}

type Handler<N extends ContractName> = (
  input: v.InferOutput<(typeof contracts)[N]['input']>,
  context: ScriptContext,
) => ScriptOutput<N> | Promise<ScriptOutput<N>>;

const adminSids = ['S-1-5-18', 'S-1-5-32-544'];

/** Keeps one script's contract on the simulated Windows. */
const handlers: { readonly [N in ContractName]: Handler<N> } = {
  echo: ({ text }) => ({ text, length: text.length }),
  facts: (_input, { state }) => {
    const disk = statfsSync(state.root);
    return {
      hostname: state.hostname,
      user: state.user,
      is_admin: true,
      os_caption: 'Microsoft Windows 11 Pro (simulated)',
      os_version: '10.0.26100',
      os_build: 26_100,
      architecture: 'AMD64',
      powershell_version: '5.1.26100.1',
      openssh_version: '9.5.5.1',
      default_shell: '',
      oem_code_page: 850,
      uptime_s: Math.round((Date.now() - state.bootedMs) / 1000),
      utc_now: new Date(Date.now() + (state.faults.has('clock-skew') ? 120_000 : 0)).toISOString(),
      disk_free_bytes: state.faults.has('disk-full') ? 20_000_000 : disk.bavail * disk.bsize,
      disk_size_bytes: disk.blocks * disk.bsize,
    };
  },
  sessions: (_input, { state }) => ({ sessions: state.sessions() }),
  firewall: ({ action, rules }, { state }) => ({ rules: rules.map((rule) => firewallRule(state, action, rule)) }),
  ports: ({ ports }, { state }) => ({
    ports: ports.map((port) => {
      const isDead =
        (port === 7_887 && state.faults.has('aloha-server-dead')) ||
        (port === 7_888 && state.faults.has('aloha-client-dead'));
      const isListening = port === 135 || (state.listeners.has(port) && !isDead);
      const program = port === 9_323 ? 'node.exe' : 'python.exe';
      const process = port === 135 ? 'svchost.exe' : isListening ? program : '';
      return {
        port,
        listening: isListening,
        address: isListening ? '0.0.0.0' : '',
        pid: isListening ? 1_000 : 0,
        process,
        session_id: isListening ? 1 : 0,
      };
    }),
  }),
  playwright: (_input, { state }) => {
    const hasNode = !state.faults.has('node-missing');
    const version = state.faults.has('playwright-missing') ? '' : versions.playwright;
    return {
      node_path: hasNode ? 'C:\\Program Files\\nodejs\\node.exe' : '',
      node_version: hasNode ? '22.20.0' : '',
      playwright_version: state.faults.has('playwright-old') ? '1.58.2' : version,
      browsers: ['C:\\ProgramData\\win-automation\\playwright\\browsers\\chromium-1200'],
    };
  },
  processes: ({ contains }, { state, process }) => ({
    processes: [...state.processes.values()]
      .filter(({ commandLine, pid }) => commandLine.includes(contains) && pid !== process.pid)
      .map(({ pid, name, commandLine, sessionId }) => ({
        pid,
        name,
        command_line: commandLine,
        session_id: sessionId,
      })),
  }),
  task: (input, { state }) => task(state, input),
  killTree: ({ marker }, { state, process }) => {
    const own = ancestors(state, process);
    const sshd = own.find(({ name }) => name === 'sshd.exe');
    if (sshd === undefined) return { found_sshd: false, killed: [] };
    const marked = state.descendants(sshd.pid).filter((one) => one.commandLine.includes(marker) && !own.includes(one));
    const doomed = new Set(marked.flatMap((one) => [one, ...state.descendants(one.pid)]));
    for (const one of doomed) state.kill(one);
    return { found_sshd: true, killed: [...doomed].map(({ pid }) => pid) };
  },
  interactive: async ({ script, argument }, context) => {
    if (context.state.sessions().length === 0) throw new Error('nobody is logged on');
    const text = Buffer.from(script, 'base64').toString('utf8');
    const { runKnownScript } = await import('./powershell.ts');
    return { ok: true, output: await runKnownScript(text, argument, context), error: '' };
  },
  screenshot: ({ path }, { state }) => {
    const { bytes, width, height } = desktopPng();
    writeFileSync(localPath(state, path), bytes);
    return { path, width, height };
  },
  secretFile: async ({ path }, { state, stdinLine }) => {
    const line = await stdinLine();
    if (line === '') throw new Error('no secret came on standard input; nothing was written');
    const bytes = Buffer.from(line, 'base64');
    mkdirSync(dirname(localPath(state, path)), { recursive: true });
    writeFileSync(localPath(state, path), bytes, { mode: 0o600 });
    return { path, size_bytes: bytes.length, readers: adminSids };
  },
  closedFolder: ({ path }, { state }) => {
    mkdirSync(localPath(state, path), { recursive: true, mode: 0o700 });
    return { path, readers: adminSids };
  },
  artifacts: ({ action, root, job_ids }, { state }) => {
    const wrong =
      action === 'remove' ? job_ids.find((id) => !/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/.test(id)) : undefined;
    if (wrong !== undefined) throw new Error(`not a job id: ${wrong}`);
    const removed = action === 'remove' ? job_ids.filter((id) => removeJob(state, root, id)) : [];
    const dir = localPath(state, root);
    const names = statSync(dir, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(dir) : [];
    const jobs = names.map((name) => {
      const files = readdirSync(join(dir, name), { recursive: true, withFileTypes: true }).filter((one) =>
        one.isFile(),
      );
      const sizes = files.map((one) => statSync(join(one.parentPath, one.name)).size);
      const created_at = statSync(join(dir, name)).birthtime.toISOString();
      return { job_id: name, created_at, files: files.length, size_bytes: sizes.reduce((sum, size) => sum + size, 0) };
    });
    return { jobs, removed };
  },
  hash: ({ paths }, { state }) => ({
    files: paths.map((path) => {
      const local = localPath(state, path);
      if (!statSync(local, { throwIfNoEntry: false }))
        throw new Error(`Cannot find path '${path}' because it does not exist.`);
      const bytes = readFileSync(local);
      return { path, size_bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    }),
  }),
  bootstrap: ({ authorized_key, ports, remote_address }, { state }) => {
    const wanted = ports.map(({ name, port }) => ({ name, port, remote_address }));
    const rules = wanted.map((rule) => firewallRule(state, 'ensure', rule));
    const done = (step: string, isChanged = false) => ({
      step,
      state: isChanged ? ('changed' as const) : ('ok' as const),
      detail: '',
    });
    return {
      steps: [
        done('openssh_server'),
        done('sshd_running'),
        ...(authorized_key === '' ? [] : [done('authorized_key', true), done('authorized_key_acl', true)]),
        done('firewall_22'),
        ...rules.map((rule) => done(`firewall_${rule.port}`, rule.changed)),
        ...['standby', 'hibernate', 'monitor'].map((name) => done(`power_${name}-timeout-ac`)),
        done('node'),
      ],
    };
  },
};

/**
 * Runs the handler of a script.
 *
 * @param argument base64 of JSON, as the script takes it
 * @returns the script's one JSON document
 */
export async function handleScript(name: ContractName, argument: string, context: ScriptContext): Promise<string> {
  const input = v.parse(contracts[name].input, decodeArgument(argument));
  const handler = handlers[name] as (input: unknown, context: ScriptContext) => unknown;
  return JSON.stringify(await handler(input, context));
}

function ancestors(state: LabState, process: LabProcess): LabProcess[] {
  const parent = state.processes.get(process.parentPid);
  return parent === undefined ? [process] : [process, ...ancestors(state, parent)];
}

type Rule = ScriptInput<'firewall'>['rules'][number];

function firewallRule(
  state: LabState,
  action: 'query' | 'ensure' | 'remove',
  wanted: Rule,
): ScriptOutput<'firewall'>['rules'][number] {
  const { name, port, remote_address: remoteAddress = 'Any' } = wanted;
  const before = state.firewall.get(name);
  const isRight = before?.port === port && before.remoteAddress === remoteAddress;
  const isChanged = (action === 'ensure' && !isRight) || (action === 'remove' && before !== undefined);
  if (action === 'ensure') state.firewall.set(name, { port, remoteAddress });
  if (action === 'remove') state.firewall.delete(name);
  if (isChanged && action === 'ensure') state.faults.delete('firewall');
  const rule = state.firewall.get(name);
  return {
    name,
    port,
    exists: rule !== undefined,
    enabled: rule !== undefined,
    allows: state.isAllowed(port),
    blocked_by: [],
    remote_address: rule === undefined ? [] : [rule.remoteAddress],
    changed: isChanged,
  };
}

async function task(
  state: LabState,
  input: v.InferOutput<(typeof contracts)['task']['input']>,
): Promise<ScriptOutput<'task'>> {
  const existing = state.tasks.get(input.name);
  const running = existing?.pid === undefined ? undefined : state.processes.get(existing.pid);
  let isChanged = false;
  if (input.action === 'register') {
    const user = input.principal === 'system' ? 'SYSTEM' : state.user;
    if (user !== 'SYSTEM' && state.sessions().length === 0)
      throw new Error('nobody is logged on, so there is no session for an interactive task');
    state.tasks.set(input.name, {
      execute: input.execute ?? '',
      arguments: input.arguments ?? '',
      user,
      pid: undefined,
    });
    isChanged = true;
  } else if (input.action === 'start' && existing !== undefined && running === undefined) {
    const line = `${existing.execute} ${existing.arguments}`.trim();
    existing.pid = state.spawn(4, existing.execute, line, existing.user === 'SYSTEM' ? 0 : 1).pid;
    await state.onProgram(line);
    isChanged = true;
  } else if (input.action === 'stop' && running !== undefined) {
    state.kill(running);
    isChanged = true;
  } else if (input.action === 'remove' && existing !== undefined) {
    if (running !== undefined) state.kill(running);
    state.tasks.delete(input.name);
    isChanged = true;
  }
  const now = state.tasks.get(input.name);
  const isRunning = now?.pid !== undefined && state.processes.has(now.pid);
  return {
    name: input.name,
    exists: now !== undefined,
    state: now === undefined ? '' : isRunning ? 'Running' : 'Ready',
    user: now?.user ?? '',
    last_result: 0,
    changed: isChanged,
  };
}

function removeJob(state: LabState, root: string, id: string): boolean {
  const dir = join(localPath(state, root), id);
  if (!statSync(dir, { throwIfNoEntry: false })) return false;
  rmSync(dir, { recursive: true });
  return true;
}
