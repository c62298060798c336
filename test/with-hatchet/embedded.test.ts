import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, it } from 'node:test';
import { whyNoExecutable } from '../support/executable.ts';
import { HatchetServer, whyNoHatchet } from '../support/hatchet-server.ts';
import { JobsHarness } from '../support/jobs.ts';
import { whyNoLab } from '../support/lab.ts';
import { eventually } from '../support/processes.ts';
import { suite } from '../support/suite.ts';

const version = 'v0.105.0';

// The release of the sidecar can't be had on every machine: here a script hands out a real server as the sidecar does its
// own, and ends as it does, when its standard input closes or SIGTERM comes.
suite('hatchet up --embedded', whyNoExecutable ?? whyNoLab ?? whyNoHatchet(version), () => {
  let server: HatchetServer;
  before(async () => {
    server = await HatchetServer.start(version);
  });
  after(() => server.close());
  const h = new JobsHarness(() => ({}));
  let up: (ChildProcess & { printed: string; log: string }) | undefined;
  afterEach(() => up?.kill('SIGKILL'));

  /** The sidecar, which writes the arguments that it got beside itself. */
  const sidecar = (body: string): string => {
    const path = join(h.program.home, 'sidecar');
    writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' "$@" > "$0.args"\n${body}`, { mode: 0o755 });
    return path;
  };
  const handshake = () => {
    const { WIN_AUTOMATION_HATCHET_GRPC_ADDRESS, WIN_AUTOMATION_HATCHET_HTTP_URL, WIN_AUTOMATION_HATCHET_TOKEN } =
      server.env();
    const text = JSON.stringify({
      token: WIN_AUTOMATION_HATCHET_TOKEN,
      tenant_id: '707d0855-80ab-4e1f-a156-f1c4546cbf52',
      grpc_address: WIN_AUTOMATION_HATCHET_GRPC_ADDRESS,
      api_url: `${WIN_AUTOMATION_HATCHET_HTTP_URL}/`,
    });
    return sidecar(`echo '${text}' > "$2"\nexec cat > /dev/null\n`);
  };
  const start = (...args: string[]) => {
    const child = spawn(h.program.path, ['hatchet', 'up', '--embedded', ...args], { env: h.env, cwd: h.program.home });
    const started = Object.assign(child, { printed: '', log: '' });
    child.stdout.on('data', (chunk: Buffer) => {
      started.printed += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      started.log += chunk.toString();
    });
    up = started;
    return started;
  };

  it('is a whole Hatchet for every other command, and is gone with SIGTERM', async () => {
    const path = handshake();
    const child = start('--sidecar', path, '--database-url', 'postgresql://me@localhost/hatchet');
    const file = join(h.program.home, 'state/hatchet.json');
    await eventually('it is up', () => existsSync(file) && child.printed !== '', 20_000);
    for (const name of ['hatchet.json', 'hatchet-token']) {
      assert.equal(statSync(join(h.program.home, 'state', name)).mode & 0o777, 0o600);
    }
    assert.ok(!`${child.printed}${child.log}${readFileSync(`${path}.args`, 'utf8')}`.includes(server.token()));
    assert.match(child.printed, /export WIN_AUTOMATION_HATCHET_TOKEN_FILE='.*hatchet-token'/);
    assert.match(readFileSync(`${path}.args`, 'utf8'), /-database-url\npostgresql:\/\/me@localhost\/hatchet\n/);
    const status = await h.run(['hatchet', 'status']);
    assert.equal(status.words['state'], 'ok', `${status.stdout}${status.stderr}`);
    const shown = await h.json('config', 'show');
    assert.ok(JSON.stringify(shown.payload).includes('hatchet up'), 'the origin is told');
    h.startWorker();
    const { exitCode, stdout } = await h.run([
      'jobs',
      'enqueue',
      '--type',
      'windows.exec',
      '--watch',
      '--',
      'hostname',
    ]);
    assert.equal(exitCode, 0);
    assert.match(stdout.toString(), /engine=hatchet/);
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
    assert.equal(existsSync(file), false);
  });

  it('takes no sidecar whose checksum is another', async () => {
    const path = handshake();
    const right = createHash('sha256').update(readFileSync(path)).digest('hex');
    const { exitCode, logs } = await h.run([
      'hatchet',
      'up',
      '--embedded',
      '--sidecar',
      path,
      '--checksum',
      '0'.repeat(64),
    ]);
    assert.deepEqual([exitCode, logs.at(-1)?.['code']], [3, 'container_failed']);
    assert.match(logs.at(-1)?.['msg'] ?? '', /checksum mismatch/);
    assert.equal(existsSync(`${path}.args`), false);
    start('--sidecar', path, '--checksum', right);
    await eventually('it is up', () => existsSync(join(h.program.home, 'state/hatchet.json')), 20_000);
  });

  it('leaves nothing behind where it is killed by SIGKILL', async () => {
    const file = join(h.program.home, 'state/hatchet.json');
    const child = start('--sidecar', handshake());
    await eventually('it is up', () => existsSync(file), 20_000);
    child.kill('SIGKILL');
    await eventually('its child has ended, and tidied up', () => !existsSync(file), 10_000);
  });

  it('says how else, where the sidecar does not come up', async () => {
    const { exitCode, logs } = await h.run(['hatchet', 'up', '--embedded', '--sidecar', sidecar('exit 3\n')]);
    assert.deepEqual([exitCode, logs.at(-1)?.['code']], [3, 'container_failed']);
    assert.match(logs.at(-1)?.['hint'] ?? '', /NixOS module/);
    assert.equal(existsSync(join(h.program.home, 'state/hatchet.json')), false);
  });
});
