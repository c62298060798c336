import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { parse } from 'yaml';
import { type Executable, installExecutable, whyNoExecutable } from '../support/executable.ts';
import { suite } from '../support/suite.ts';

suite('hatchet, without a server', whyNoExecutable, () => {
  let program: Executable;
  let env: Record<string, string>;
  beforeEach(() => {
    program = installExecutable();
    env = { WIN_AUTOMATION_STATE_DIR: join(program.home, 'state') };
  });
  afterEach(() => program.remove());
  const run = (args: readonly string[], more: Record<string, string> = {}) =>
    program.run(args, { env: { ...env, ...more } });

  it('prints a compose file, or writes it with passwords beside it', async () => {
    const printed = await run(['hatchet', 'compose']);
    assert.deepEqual(Object.keys(parse(printed.stdout.toString()).services), ['postgres', 'hatchet']);
    const written = await run(['hatchet', 'compose', '--out', 'h']);
    assert.equal(written.words['state'], 'written');
    assert.equal(readFileSync(join(program.home, 'h/compose.yaml'), 'utf8'), printed.stdout.toString());
    assert.equal(statSync(join(program.home, 'h/.env')).mode & 0o777, 0o600);
  });

  it('brings no containers up where nothing runs them, and says how else', async () => {
    // An empty PATH: neither docker nor podman, whatever this machine has.
    const { exitCode, logs } = await run(['hatchet', 'up'], { PATH: program.home });
    assert.deepEqual([exitCode, logs.at(-1)?.['code']], [3, 'container_failed']);
    assert.match(logs.at(-1)?.['hint'] ?? '', /--embedded.*hatchet server start.*NixOS/);
    assert.equal(existsSync(join(program.home, 'state/hatchet.json')), false);
  });

  it('takes no password on the command line', async () => {
    const url = 'postgresql://me:secret-of-mine@localhost/hatchet';
    const { exitCode, stderr } = await run(['hatchet', 'up', '--embedded', '--database-url', url]);
    assert.equal(exitCode, 2);
    assert.ok(!stderr.includes('secret-of-mine'));
  });

  it('takes what belongs to --embedded only with it', async () => {
    const { exitCode, logs } = await run(['hatchet', 'up', '--sidecar', 'x', '--grpc-port', '1']);
    assert.equal(exitCode, 2);
    assert.deepEqual(
      logs.map(({ msg }) => msg),
      ['--sidecar needs --embedded', '--grpc-port needs --embedded'],
    );
  });

  it('is told as down: exit 3, and every member of its status', async () => {
    const { exitCode, stdout } = await run(['hatchet', 'status', '--json'], {
      WIN_AUTOMATION_HATCHET_HTTP_URL: 'http://127.0.0.1:1',
      WIN_AUTOMATION_HATCHET_HEALTH_URL: 'http://127.0.0.1:1',
      WIN_AUTOMATION_RETRY_ATTEMPTS: '1',
    });
    const status = JSON.parse(stdout.toString());
    assert.deepEqual(
      [exitCode, status.state, status.live, status.ready, status.server_version, status.compatibility, status.token],
      [3, 'failed', false, false, null, 'unknown', 'missing'],
    );
  });

  /** A server that says what a real one won't say on demand. */
  const double = async (answers: Readonly<Record<string, readonly [number, string]>>) => {
    const server = createServer((request, response) => {
      const [status, body] = answers[request.url ?? ''] ?? [404, '{}'];
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const claims = Buffer.from('{"sub":"707d0855-80ab-4e1f-a156-f1c4546cbf52"}').toString('base64url');
    const own = {
      WIN_AUTOMATION_HATCHET_HTTP_URL: url,
      WIN_AUTOMATION_HATCHET_HEALTH_URL: url,
      WIN_AUTOMATION_HATCHET_TOKEN: `x.${claims}.x`,
    };
    return { own, [Symbol.asyncDispose]: () => new Promise<void>((done) => server.close(() => done())) };
  };

  it('that is too old is refused by a worker, and told by status', async () => {
    await using server = await double({
      '/live': [200, '{}'],
      '/ready': [200, '{}'],
      '/api/v1/version': [200, '{"version":"v0.70.1"}'],
    });
    const worker = await run(['worker'], server.own);
    assert.deepEqual([worker.exitCode, worker.logs.at(-1)?.['code']], [3, 'version_mismatch']);
    const status = await run(['hatchet', 'status'], server.own);
    assert.deepEqual([status.exitCode, status.words['compatibility']], [3, 'incompatible']);
  });

  it('that is up but not ready is told so', async () => {
    await using server = await double({
      '/live': [200, '{}'],
      '/ready': [503, '{}'],
      '/api/v1/version': [200, '{"version":"v0.105.0"}'],
    });
    const { exitCode, words } = await run(['hatchet', 'status'], server.own);
    assert.deepEqual([exitCode, words['live'], words['ready'], words['state']], [3, 'true', 'false', 'failed']);
  });

  it('that is something else is told so', async () => {
    await using server = await double({ '/live': [200, ''], '/ready': [200, ''], '/api/v1/version': [200, '<html>'] });
    const { exitCode, logs } = await run(['hatchet', 'status'], server.own);
    assert.equal(exitCode, 3);
    assert.match(logs.at(-1)?.['msg'] ?? '', /not as Hatchet does/);
  });

  it('that was brought up and left a damaged file is told with the file', async () => {
    await run(['hatchet', 'compose', '--out', 'state']);
    writeFileSync(join(program.home, 'state/hatchet.json'), '{"http_url": 1}');
    const { exitCode, logs } = await run(['jobs', 'list']);
    assert.equal(exitCode, 2);
    assert.match(logs.at(-1)?.['msg'] ?? '', /state\/hatchet\.json: it is damaged/);
  });

  it('keeps schedules, which the local engine does not: exit 2 and what does', async () => {
    for (const args of [
      ['jobs', 'schedule', '--cron', '0 3 * * *', '--type', 'artifacts.gc'],
      ['jobs', 'schedules'],
      ['jobs', 'unschedule', '--id', 'x'],
    ]) {
      const { exitCode, logs } = await run(args);
      assert.equal(exitCode, 2);
      assert.match(logs.at(-1)?.['hint'] ?? '', /systemd timer/);
    }
  });

  for (const time of [
    ['--cron', 'nope'],
    ['--cron', '* * * *'],
    ['--cron', '99 * * * *'],
    ['--at', 'tomorrow'],
    ['--at', '2020-01-01T00:00:00Z'],
    ['--at', '2999-01-01T00:00:00'],
    [],
    ['--cron', '0 3 * * *', '--at', '2999-01-01T00:00:00Z'],
  ]) {
    it(`refuses to schedule by ${time.join(' ') || 'nothing'}`, async () => {
      assert.equal((await run(['jobs', 'schedule', '--type', 'artifacts.gc', ...time])).exitCode, 2);
    });
  }
});
