import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { type Executable, installExecutable, whyNoExecutable } from '../support/executable.ts';
import { startSshd, type TestSshd, whyNoSshd } from '../support/sshd.ts';
import { suite } from '../support/suite.ts';

const sftpServer = '/usr/lib/openssh/sftp-server';
const whyNoSftpServer = existsSync(sftpServer) ? undefined : `no ${sftpServer}: install openssh-sftp-server`;

/** What stands in for the SFTP server, as a shell script. */
const servers = {
  silent: 'exec sleep 1000',
  dead: 'exit 1',
  babbling: 'echo Welcome to this host; exec sleep 1000',
  // Answers for a while, then stops: `head` ends after so many bytes, and nobody reads on.
  stalling: `(head -c 400; exec sleep 1000) | ${sftpServer}`,
} as const;

suite('SFTP that fails', whyNoExecutable ?? whyNoSshd ?? whyNoSftpServer, () => {
  let program: Executable;
  let dir: string;
  const sshds = new Map<string, TestSshd>();
  before(async () => {
    program = installExecutable();
    dir = mkdtempSync(join(tmpdir(), 'wa-sftp-'));
    chmodSync(dir, 0o755);
    for (const [name, text] of Object.entries(servers)) {
      const file = join(dir, name);
      writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      sshds.set(name, await startSshd({ config: [`Subsystem sftp ${file}`] }));
    }
    writeFileSync(join(program.home, 'file'), Buffer.alloc(1_000_000));
  });
  after(async () => {
    for (const sshd of sshds.values()) await sshd.stop();
    spawnQuietly('pkill', ['-f', 'sleep 1000']);
    program.remove();
    rmSync(dir, { recursive: true, force: true });
  });

  const spawnQuietly = (name: string, args: string[]) => {
    try {
      execFileSync(name, args);
    } catch {
      // There was nothing left to end.
    }
  };
  const transfer = (name: string, args: readonly string[]) =>
    program.run(['windows', ...args, '--timeout', '2s'], { env: sshds.get(name)?.env ?? {} });

  for (const name of Object.keys(servers)) {
    for (const args of [
      ['put', 'file', `/tmp/wa-sftp-put-${name}`],
      ['get', '/etc/passwd', 'got'],
    ]) {
      it(`ends ${args[0]} with its deadline at the latest where the server is ${name}`, async () => {
        const { exitCode, durationMs, logs } = await transfer(name, args);
        assert.ok(exitCode === 4 || exitCode === 3 || exitCode === 1, `exit code ${exitCode}`);
        assert.ok(durationMs < 3_500, `${durationMs} ms`);
        assert.equal(logs.filter(({ level }) => level === 'error').length, 1);
        assert.deepEqual(
          readdirSync(program.home).filter((file) => file.includes('.part-') || file === 'got'),
          [],
        );
      });
    }
  }
});
