import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Capture } from './capture.ts';
import { executeCommand, executeScript } from './exec.ts';
import { get, put } from './files.ts';
import { judgeGui } from './gui-gate.ts';
import type { WindowsHost } from './host.ts';
import { sftpPath } from './paths.ts';
import { takeScreenshot } from './screenshot.ts';
import { type Selftest, SkippedError } from './selftest.ts';

const folder = 'C:\\ProgramData\\win-automation\\selftest';
const rule = { name: 'WinAutomation-Selftest', port: 65_499 };
const task = 'WinAutomation-Selftest';

function expect(isTrue: boolean, what: string): asserts isTrue {
  if (!isTrue) throw new Error(what);
}

function expectEqual(seen: unknown, wanted: unknown, what: string): void {
  expect(seen === wanted, `${what}: ${JSON.stringify(seen)}, not ${JSON.stringify(wanted)}`);
}

/** Runs a command in the host's own shell and returns how it ended and what it said. */
async function captured(host: WindowsHost, command: string, signal: AbortSignal) {
  const [stdout, stderr] = [new Capture(), new Capture()];
  const outcome = await executeCommand(host, { command, shell: 'auto', streams: { stdout, stderr } }, signal);
  return { ...outcome, stdout: stdout.read().text, stderr: stderr.read().text };
}

async function capturedScript(
  host: WindowsHost,
  script: string,
  parameters: Record<string, string>,
  signal: AbortSignal,
) {
  const [stdout, stderr] = [new Capture(), new Capture()];
  const outcome = await executeScript(host, { script, parameters, streams: { stdout, stderr } }, signal);
  return { ...outcome, stdout: stdout.read().text, stderr: stderr.read().text };
}

/** Everything that must hold on a real Windows host, in the order in which it is tried. */
export const selftests: readonly Selftest[] = [
  {
    name: 'a command gives its exit code',
    run: async ({ cold, signal }) => {
      const { status } = await captured(cold, 'exit 7', signal);
      expectEqual(status?.exitCode, 7, 'exit code of exit 7');
      return 'exit 7 gives 7';
    },
  },
  {
    name: 'text of any kind survives both ways, started anew and kept warm',
    run: async ({ warm, cold, signal }) => {
      const texts = ['plain', 'ünï ℃ 日本 😀', `"'\`$(x) %PATH% ^& | <>`, 'a\r\nb\tc', 'x'.repeat(20_000), ''];
      for (const host of [cold, warm]) {
        for (const text of texts) {
          const answer = await host.script('echo', { text }, { signal });
          expectEqual(answer.text, text, 'echoed text');
        }
      }
      return `${texts.length} texts, one of 20,000 characters`;
    },
  },
  {
    name: 'a script that fails says why',
    run: async ({ warm, cold, signal }) => {
      for (const host of [cold, warm]) {
        const missing = 'C:\\win-automation-no-such-file';
        const message = await host.script('hash', { paths: [missing] }, { signal }).then(
          () => undefined,
          (error: Error) => error.message,
        );
        expect(message?.includes('win-automation-no-such-file') ?? false, `the error names no file: ${message}`);
      }
      return 'the missing file is named';
    },
  },
  {
    name: "a user's script gets its parameters, and its exit code is honest",
    run: async ({ cold, signal }) => {
      const value = `it's "q" $x ü;`;
      const named = await capturedScript(
        cold,
        'param([string]$Name)\nWrite-Output "<$Name>"\nexit 5',
        { Name: value },
        signal,
      );
      expectEqual(named.stdout.trim(), `<${value}>`, 'parameter');
      expectEqual(named.status?.exitCode, 5, 'exit code of exit 5');
      const thrown = await capturedScript(cold, "throw 'on purpose'", {}, signal);
      expectEqual(thrown.status?.exitCode, 1, 'exit code of throw');
      expect(thrown.stderr.includes('on purpose'), `standard error: ${thrown.stderr}`);
      return 'parameters, exit 5, throw';
    },
  },
  {
    name: 'the facts make sense',
    run: async ({ warm, signal }) => {
      const facts = await warm.script('facts', {}, { signal });
      expect(facts.os_build > 7_000, `os_build ${facts.os_build}`);
      expect(facts.disk_free_bytes <= facts.disk_size_bytes, 'more free than there is');
      return `${facts.os_caption} ${facts.os_version}, PowerShell ${facts.powershell_version}, OpenSSH ${facts.openssh_version}`;
    },
  },
  {
    name: 'sessions can be read, with their lock state',
    run: async ({ warm, signal }) => {
      const { sessions } = await warm.script('sessions', {}, { signal });
      const untold = sessions.find((session) => !session.lock_known);
      if (untold !== undefined) throw new SkippedError(`Windows does not tell whether session ${untold.id} is locked`);
      return sessions
        .map(({ id, user, state, locked }) => `${id} ${user} ${state}${locked ? ' locked' : ''}`)
        .join(', ');
    },
  },
  {
    name: 'listening ports are told with their process',
    run: async ({ warm, signal }) => {
      const { ports } = await warm.script('ports', { ports: [135, rule.port] }, { signal });
      expectEqual(ports[1]?.listening, false, `port ${rule.port} listening`);
      return ports.map(({ port, process }) => `${port} ${process || 'nobody'}`).join(', ');
    },
  },
  {
    name: 'a firewall rule is made once, judged by what it allows, and removed',
    run: async ({ warm, signal }) => {
      const ask = async (action: 'query' | 'ensure' | 'remove') =>
        (await warm.script('firewall', { action, rules: [rule] }, { signal })).rules[0];
      try {
        const made = await ask('ensure');
        expect(made?.changed === true && made.exists && made.allows, 'the rule was not made');
        expectEqual((await ask('ensure'))?.changed, false, 'changed, the second time');
        expectEqual((await ask('query'))?.enabled, true, 'enabled');
      } finally {
        await ask('remove');
      }
      expectEqual((await ask('query'))?.exists, false, 'exists, after removal');
      return `${rule.name} on port ${rule.port}`;
    },
  },
  {
    name: 'a scheduled task is registered, run, ended and removed',
    run: async ({ warm, signal }) => {
      const ask = (action: 'query' | 'start' | 'stop' | 'remove') =>
        warm.script('task', { action, name: task }, { signal });
      try {
        const made = await warm.script(
          'task',
          {
            action: 'register',
            name: task,
            execute: 'ping.exe',
            arguments: '-n 60 127.0.0.1',
            principal: 'system',
            trigger: 'none',
          },
          { signal },
        );
        expect(made.exists, 'it was not registered');
        await ask('start');
        expectEqual((await ask('query')).state, 'Running', 'state');
        await ask('stop');
      } finally {
        await ask('remove');
      }
      expectEqual((await ask('query')).exists, false, 'exists, after removal');
      return task;
    },
  },
  {
    name: 'files go over and back unchanged, verified on both sides',
    run: async ({ cold, signal }) => {
      const dir = await mkdtemp(join(tmpdir(), 'win-automation-selftest-'));
      const bytes = randomBytes(300_001);
      const remote = `${folder}\\${randomUUID()}.bin`;
      const options = { isRecursive: false, isVerified: true, signal };
      try {
        await writeFile(join(dir, 'out'), bytes);
        await (await cold.sftp(signal)).makeDir(sftpPath(folder));
        await put(cold, join(dir, 'out'), remote, options);
        await put(cold, join(dir, 'out'), remote, options);
        await get(cold, remote, join(dir, 'back'), options);
        expect(bytes.equals(await readFile(join(dir, 'back'))), 'the bytes differ');
        await (await cold.sftp(signal)).remove(sftpPath(remote));
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
      return `${bytes.length} bytes, SHA-256 ${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}…`;
    },
  },
  {
    name: 'a secret file is readable by SYSTEM and Administrators alone',
    run: async ({ cold, signal }) => {
      const path = `${folder}\\${randomUUID()}.secret`;
      const stdin = Buffer.from('not a real secret').toString('base64');
      const { readers, size_bytes } = await cold.script('secretFile', { path }, { signal, stdin });
      await (await cold.sftp(signal)).remove(sftpPath(path));
      expectEqual(size_bytes, 17, 'size');
      expectEqual([...readers].sort().join(' '), 'S-1-5-18 S-1-5-32-544', 'readers');
      return readers.join(', ');
    },
  },
  {
    name: 'a closed folder is open to SYSTEM and Administrators alone',
    run: async ({ cold, signal }) => {
      const path = `${folder}\\closed`;
      const { readers } = await cold.script('closedFolder', { path }, { signal });
      await (await cold.sftp(signal)).removeDir(sftpPath(path));
      expectEqual([...readers].sort().join(' '), 'S-1-5-18 S-1-5-32-544', 'readers');
      return readers.join(', ');
    },
  },
  {
    name: 'a command that is given up leaves no process',
    run: async ({ cold, signal }) => {
      const marker = 200 + Math.floor(Math.random() * 600);
      const command = `ping -n ${marker} 127.0.0.1`;
      const soon = AbortSignal.any([signal, AbortSignal.timeout(1_500)]);
      const { status } = await captured(cold, command, soon);
      expectEqual(status, undefined, 'status of what was given up');
      const left = await cold.script('processes', { contains: `${marker} 127.0.0.1` }, { signal });
      expectEqual(left.processes.length, 0, 'processes left');
      return command;
    },
  },
  {
    name: 'the PowerShell that stays runs several scripts at once, each apart from the others',
    run: async ({ warm, signal }) => {
      const texts = Array.from({ length: 8 }, (_, i) => `text ${i}`);
      const answers = await Promise.all(texts.map((text) => warm.script('echo', { text }, { signal })));
      for (const [i, { text }] of answers.entries()) expectEqual(text, texts[i], 'answer');
      return `${texts.length} at once`;
    },
  },
  {
    name: 'artifact folders are listed and removed by job id alone',
    run: async ({ warm, cold, signal }) => {
      const root = `${folder}\\artifacts`;
      await (await cold.sftp(signal)).makeDir(sftpPath(`${root}\\job-1`));
      const listed = await warm.script('artifacts', { action: 'list', root, job_ids: [] }, { signal });
      expect(
        listed.jobs.some(({ job_id }) => job_id === 'job-1'),
        'job-1 is not listed',
      );
      const { removed } = await warm.script('artifacts', { action: 'remove', root, job_ids: ['job-1'] }, { signal });
      expectEqual(removed.join(), 'job-1', 'removed');
      const refused = await warm.script('artifacts', { action: 'remove', root, job_ids: ['..'] }, { signal }).then(
        () => false,
        () => true,
      );
      expect(refused, 'a job id of .. was not refused');
      return root;
    },
  },
  {
    name: 'the desktop can be seen from the logged-on session',
    run: async ({ warm, signal }) => {
      const gate = judgeGui((await warm.script('sessions', {}, { signal })).sessions);
      if (gate.state === 'blocked') throw new SkippedError(gate.message);
      const dir = await mkdtemp(join(tmpdir(), 'win-automation-selftest-'));
      try {
        const { width, height } = await takeScreenshot(warm, join(dir, 'shot.png'), signal);
        const start = (await readFile(join(dir, 'shot.png'))).subarray(1, 4).toString('latin1');
        expectEqual(start, 'PNG', 'first bytes');
        return `${width} x ${height}`;
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    },
  },
];
