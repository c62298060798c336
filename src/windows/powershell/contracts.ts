import * as v from 'valibot';

/** What each script takes (its one JSON argument) and gives (its one JSON document). The lab keeps the same contracts. */

const text = v.string();
const flag = v.boolean();
const count = v.pipe(v.number(), v.integer());
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const nothing = v.object({});

const session = v.object({
  id: count,
  user: text,
  domain: text,
  station: text,
  /** As Windows names it: `Active`, `Disc`, … */
  state: text,
  locked: flag,
  /** Whether Windows could tell `locked`. */
  lock_known: flag,
});

const firewallRule = v.object({ name: text, port, remote_address: v.optional(text, 'Any') });

const firewallReport = v.object({
  name: text,
  port,
  exists: flag,
  enabled: flag,
  /** Whether all of the wanted remote addresses get in on every kind of network, whatever the rules are called. */
  allows: flag,
  /** The rules that keep some of them out. */
  blocked_by: v.array(text),
  remote_address: v.array(text),
  changed: flag,
});

const listener = v.object({ port, listening: flag, address: text, pid: count, process: text, session_id: count });

export const contracts = {
  echo: { input: v.object({ text }), output: v.object({ text, length: count }) },
  /** What can't be told is empty or 0. */
  facts: {
    input: nothing,
    output: v.object({
      hostname: text,
      user: text,
      is_admin: flag,
      os_caption: text,
      os_version: text,
      os_build: count,
      architecture: text,
      powershell_version: text,
      openssh_version: text,
      /** sshd's DefaultShell; empty is cmd.exe. */
      default_shell: text,
      /** The code page in which programs of the console write; 0 if unknown. */
      oem_code_page: count,
      uptime_s: count,
      utc_now: v.pipe(text, v.isoTimestamp()),
      disk_free_bytes: count,
      disk_size_bytes: count,
    }),
  },
  sessions: { input: nothing, output: v.object({ sessions: v.array(session) }) },
  firewall: {
    input: v.object({ action: v.picklist(['query', 'ensure', 'remove']), rules: v.array(firewallRule) }),
    output: v.object({ rules: v.array(firewallReport) }),
  },
  playwright: {
    input: v.object({ dir: text }),
    /** Versions without a v; empty where there is none. */
    output: v.object({
      node_path: text,
      node_version: text,
      playwright_version: text,
      browsers: v.array(text),
    }),
  },
  ports: { input: v.object({ ports: v.array(port) }), output: v.object({ ports: v.array(listener) }) },
  processes: {
    input: v.object({ contains: v.pipe(text, v.minLength(1)) }),
    output: v.object({
      processes: v.array(v.object({ pid: count, name: text, command_line: text, session_id: count })),
    }),
  },
  task: {
    input: v.object({
      action: v.picklist(['query', 'register', 'start', 'stop', 'remove']),
      name: text,
      execute: v.optional(text),
      arguments: v.optional(text),
      working_directory: v.optional(text),
      trigger: v.optional(v.picklist(['startup', 'logon', 'none'])),
      principal: v.optional(v.picklist(['interactive', 'system'])),
      user: v.optional(text),
    }),
    output: v.object({ name: text, exists: flag, state: text, user: text, last_result: count, changed: flag }),
  },
  killTree: {
    input: v.object({ marker: v.pipe(text, v.minLength(1)) }),
    output: v.object({ found_sshd: flag, killed: v.array(count) }),
  },
  interactive: {
    input: v.object({ id: text, script: text, argument: text, timeout_s: count }),
    output: v.object({ ok: flag, output: text, error: text }),
  },
  screenshot: { input: v.object({ path: text }), output: v.object({ path: text, width: count, height: count }) },
  /** The content goes to standard input, as one line of base64. */
  secretFile: {
    input: v.object({ path: text }),
    output: v.object({ path: text, size_bytes: count, readers: v.array(text) }),
  },
  closedFolder: {
    input: v.object({ path: text }),
    output: v.object({ path: text, readers: v.array(text) }),
  },
  artifacts: {
    input: v.object({ action: v.picklist(['list', 'remove']), root: text, job_ids: v.array(text) }),
    output: v.object({
      jobs: v.array(v.object({ job_id: text, created_at: text, files: count, size_bytes: count })),
      removed: v.array(text),
    }),
  },
  hash: {
    input: v.object({ paths: v.array(text) }),
    output: v.object({ files: v.array(v.object({ path: text, size_bytes: count, sha256: text })) }),
  },
  bootstrap: {
    input: v.object({
      authorized_key: text,
      ports: v.array(v.object({ name: text, port })),
      remote_address: text,
    }),
    output: v.object({
      steps: v.array(v.object({ step: text, state: v.picklist(['ok', 'changed', 'failed']), detail: text })),
    }),
  },
} as const;

export type ContractName = keyof typeof contracts;
export type ScriptInput<N extends ContractName> = v.InferInput<(typeof contracts)[N]['input']>;
export type ScriptOutput<N extends ContractName> = v.InferOutput<(typeof contracts)[N]['output']>;
export type Session = v.InferOutput<typeof session>;
