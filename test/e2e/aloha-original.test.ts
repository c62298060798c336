import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, it } from 'node:test';
import { type Executable, installExecutable, whyNoExecutable } from '../support/executable.ts';
import { eventually } from '../support/processes.ts';
import { suite } from '../support/suite.ts';

/** Opt-in: a checkout of ShowUI-Aloha's Aloha_Act and a Python that has what it imports. */
const dir = process.env['WIN_AUTOMATION_TEST_ALOHA_DIR'];
const python = process.env['WIN_AUTOMATION_TEST_ALOHA_PYTHON'] ?? 'python3';
const whyNot =
  dir !== undefined && existsSync(join(dir, 'app_server.py'))
    ? undefined
    : 'WIN_AUTOMATION_TEST_ALOHA_DIR names no Aloha_Act folder';

suite("ShowUI-Aloha's own server", whyNoExecutable ?? whyNot ?? false, () => {
  const url = 'http://127.0.0.1:7887';
  let server: ChildProcess;
  let program: Executable;
  before(async () => {
    program = installExecutable();
    server = spawn(python, ['app_server.py'], {
      cwd: dir,
      env: { ...process.env, PYTHONUTF8: '1' },
      stdio: 'ignore',
      detached: true,
    });
    const isUp = () =>
      fetch(url).then(
        () => true,
        () => false,
      );
    await eventually('it answers', isUp, 30_000);
  });
  after(() => {
    // Flask's reloader has a child of its own.
    if (server.pid !== undefined) process.kill(-server.pid, 'SIGKILL');
    program.remove();
  });

  it('is known by aloha health', async () => {
    const { stdout } = await program.run(['aloha', 'health', '--json'], {
      env: { WIN_AUTOMATION_ALOHA_CLIENT_URL: 'http://127.0.0.1:1' },
    });
    assert.equal(JSON.parse(stdout.toString()).checks[0].state, 'ok');
  });

  it('answers as the lab does', async () => {
    assert.equal(await (await fetch(url)).text(), 'Aloha API server is running');
    assert.equal((await fetch(`${url}/health`)).status, 404);
    const missing = await fetch(`${url}/generate_action`, { method: 'POST', body: '{}' });
    assert.deepEqual([missing.status, typeof ((await missing.json()) as { error: unknown }).error], [400, 'string']);
    const body = JSON.stringify({ screenshot: 'not base64!', query: 'x' });
    assert.equal((await fetch(`${url}/generate_action`, { method: 'POST', body })).status, 500);
  });
});
