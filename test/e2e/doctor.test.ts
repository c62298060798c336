import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import { after, before, it } from 'node:test';
import { type Executable, installExecutable, whyNoExecutable } from '../support/executable.ts';
import { startProxy } from '../support/proxy.ts';
import { suite } from '../support/suite.ts';

/** Serves on a free loopback port. */
function serve(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({ url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, server });
    });
  });
}

suite('doctor', whyNoExecutable ?? false, () => {
  let program: Executable;
  before(() => {
    program = installExecutable();
  });
  after(() => program.remove());

  const verdictOf = async (check: string, env: Record<string, string>) => {
    const base = { WIN_AUTOMATION_WINDOWS_SSH_PASSWORD: 'pw', WIN_AUTOMATION_WINDOWS_SSH_PORT: '1' };
    const { stdout } = await program.run(['doctor', '--json'], { env: { ...base, ...env } });
    const { checks } = JSON.parse(stdout.toString());
    return checks.find((verdict: { check: string }) => verdict.check === check);
  };

  it('knows the Aloha server by its exact words, and nothing else for it', async () => {
    let body = 'Aloha API server is running';
    const { url, server } = await serve((_request, response) => response.end(body));
    const env = { WIN_AUTOMATION_ALOHA_SERVER_URL: url };
    assert.equal((await verdictOf('aloha_server', env)).state, 'ok');
    body = '<html>It works!</html>';
    assert.deepEqual((await verdictOf('aloha_server', env)).reason, 'not_aloha');
    server.close();
  });

  it('knows the Aloha client by its refusal of GET /run_task', async () => {
    const { url, server } = await serve((request, response) => {
      const isTask = request.url === '/run_task';
      response.writeHead(isTask ? 405 : 404, isTask ? { allow: 'OPTIONS, POST' } : {}).end();
    });
    assert.equal((await verdictOf('aloha_client', { WIN_AUTOMATION_ALOHA_CLIENT_URL: url })).state, 'ok');
    server.close();
  });

  it('tells the firewall where TCP connects and HTTP hangs, with the rules to type', async () => {
    const silent = await startProxy(undefined);
    const verdict = await verdictOf('aloha_server', {
      WIN_AUTOMATION_ALOHA_SERVER_URL: `http://127.0.0.1:${silent.port}`,
      WIN_AUTOMATION_TIMEOUT: '1s',
    });
    assert.equal(verdict.reason, 'http_hangs');
    assert.ok(
      verdict.hints.includes(
        'New-NetFirewallRule -DisplayName Aloha-7887 -Direction Inbound -Action Allow -Protocol TCP -LocalPort 7887 -Profile Any',
      ),
    );
    await silent.close();
  });

  it('asks Hatchet for /live and /ready, where the engine is hatchet', async () => {
    const ready = new Set(['/live']);
    const { url, server } = await serve((request, response) =>
      response.writeHead(ready.has(request.url ?? '') ? 200 : 500).end('{"version":"v0.105.0"}'),
    );
    const env = {
      WIN_AUTOMATION_HATCHET_HEALTH_URL: url,
      WIN_AUTOMATION_HATCHET_HTTP_URL: url,
      WIN_AUTOMATION_JOBS_ENGINE: 'hatchet',
    };
    assert.equal((await verdictOf('hatchet', env)).reason, 'not_ready');
    ready.add('/ready');
    assert.equal((await verdictOf('hatchet', env)).reason, 'hatchet_unreachable');
    ready.add('/api/v1/version');
    assert.equal((await verdictOf('hatchet', env)).state, 'ok');
    assert.equal((await verdictOf('hatchet', { ...env, WIN_AUTOMATION_JOBS_ENGINE: 'local' })).state, 'skipped');
    server.close();
  });
});
