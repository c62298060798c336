import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { whyNoExecutable } from '../support/executable.ts';
import { HatchetServer, whyNoHatchet } from '../support/hatchet-server.ts';
import { JobsHarness } from '../support/jobs.ts';
import { whyNoLab } from '../support/lab.ts';
import { suite } from '../support/suite.ts';

const version = 'v0.105.0';

for (const strategy of ['tls', 'mtls'] as const) {
  suite(`Hatchet behind ${strategy}`, whyNoExecutable ?? whyNoLab ?? whyNoHatchet(version), () => {
    const dir = mkdtempSync(join(tmpdir(), 'wa-tls-'));
    let ours: Certificates;
    let others: Certificates;
    let server: HatchetServer;
    let rest: Server;
    before(async () => {
      [ours, others] = [makeCertificates(dir, 'ours'), makeCertificates(dir, 'others')];
      server = await HatchetServer.start(version, { tls: { strategy, ca: ours.ca, server: ours.server } });
      rest = await httpsInFrontOf(server.httpUrl, ours);
    });
    after(async () => {
      rest.close();
      await server.close();
      rmSync(dir, { recursive: true, force: true });
    });
    const h = new JobsHarness(() => ({
      ...server.env(),
      WIN_AUTOMATION_TIMEOUT: '5s',
      WIN_AUTOMATION_HATCHET_HTTP_URL: `https://localhost:${(rest.address() as AddressInfo).port}`,
      WIN_AUTOMATION_HATCHET_GRPC_ADDRESS: `localhost:${server.grpcPort}`,
      WIN_AUTOMATION_HATCHET_TLS_STRATEGY: strategy,
      WIN_AUTOMATION_HATCHET_TLS_CA_FILE: ours.ca,
      ...(strategy === 'mtls'
        ? {
            WIN_AUTOMATION_HATCHET_TLS_CERT_FILE: ours.client.cert,
            WIN_AUTOMATION_HATCHET_TLS_KEY_FILE: ours.client.key,
          }
        : {}),
    }));
    const enqueue = async () => {
      const { exitCode, logs } = await h.run(['jobs', 'enqueue', '--type', 'artifacts.gc']);
      const last = logs.at(-1) ?? {};
      return { exitCode, code: last['code'], text: `${last['msg']} ${last['hint']}` };
    };

    it('runs a job, with gRPC and the REST API both encrypted', { timeout: 120_000 }, async () => {
      h.startWorker();
      const { exitCode, stderr } = await h.run(['jobs', 'enqueue', '--type', 'artifacts.gc', '--watch']);
      assert.equal(exitCode, 0, stderr);
      assert.equal((await h.json('hatchet', 'status')).payload.ready, true);
    });

    it('is not spoken to without encryption', async () => {
      h.env['WIN_AUTOMATION_HATCHET_TLS_STRATEGY'] = 'none';
      const { exitCode, text } = await enqueue();
      assert.equal(exitCode, 3);
      assert.match(text, /hatchet\.tls_strategy/);
    });

    it('is not trusted where another authority signed it', async () => {
      h.env['WIN_AUTOMATION_HATCHET_TLS_CA_FILE'] = others.ca;
      const { exitCode, text } = await enqueue();
      assert.equal(exitCode, 3);
      assert.match(text, /certificate|UNABLE_TO_VERIFY/i);
      assert.equal((await h.run(['hatchet', 'status'])).exitCode, 3);
    });

    it('is not trusted by gRPC where another authority signed it', async () => {
      h.env['WIN_AUTOMATION_HATCHET_HTTP_URL'] = server.httpUrl;
      h.env['WIN_AUTOMATION_HATCHET_TLS_CA_FILE'] = others.ca;
      const { exitCode, code, text } = await enqueue();
      assert.deepEqual([exitCode, code], [3, 'hatchet_unreachable'], text);
      assert.match(text, /certificate/i);
    });

    it('is known by the name in its certificate, not by the address', { timeout: 60_000 }, async () => {
      h.env['WIN_AUTOMATION_HATCHET_GRPC_ADDRESS'] = `127.0.0.1:${server.grpcPort}`;
      const nameless = await enqueue();
      assert.deepEqual([nameless.exitCode, nameless.code], [2, 'config_invalid']);
      assert.match(nameless.text, /hatchet\.grpc_address.*hatchet\.tls_server_name/);
      h.env['WIN_AUTOMATION_HATCHET_TLS_SERVER_NAME'] = 'localhost';
      h.startWorker();
      assert.equal((await h.run(['jobs', 'enqueue', '--type', 'artifacts.gc', '--watch'])).exitCode, 0);
      h.env['WIN_AUTOMATION_HATCHET_TLS_SERVER_NAME'] = 'elsewhere.example';
      const misnamed = await enqueue();
      assert.deepEqual([misnamed.exitCode, misnamed.code], [3, 'hatchet_unreachable'], misnamed.text);
    });

    it('names a file that is not there: exit 2', async () => {
      h.env['WIN_AUTOMATION_HATCHET_TLS_CA_FILE'] = join(dir, 'nowhere.pem');
      const { exitCode, code, text } = await enqueue();
      assert.deepEqual([exitCode, code], [2, 'config_invalid']);
      assert.match(text, /hatchet\.tls_ca_file.*nowhere\.pem/);
    });

    it('is told nothing by us where its certificate is for another name', async () => {
      const { cert, key } = ours.elsewhere;
      let requests = 0;
      const stranger = createSecureServer(
        { cert: readFileSync(cert), key: readFileSync(key), allowHTTP1: true },
        () => {
          requests += 1;
        },
      );
      await new Promise<void>((done) => stranger.listen(0, '127.0.0.1', done));
      const { port } = stranger.address() as AddressInfo;
      for (const variable of ['GRPC_ADDRESS', 'HTTP_URL'] as const) {
        const address = `localhost:${port}`;
        const before = h.env[`WIN_AUTOMATION_HATCHET_${variable}`];
        h.env[`WIN_AUTOMATION_HATCHET_${variable}`] = variable === 'HTTP_URL' ? `https://${address}` : address;
        const { exitCode, code, text } = await enqueue();
        assert.deepEqual([exitCode, code, requests], [3, 'hatchet_unreachable', 0], text);
        h.env[`WIN_AUTOMATION_HATCHET_${variable}`] = before ?? '';
      }
      stranger.close();
    });

    if (strategy === 'tls') return;

    it('needs a certificate of the client: exit 2 without', async () => {
      delete h.env['WIN_AUTOMATION_HATCHET_TLS_CERT_FILE'];
      const { exitCode, code, text } = await enqueue();
      assert.deepEqual([exitCode, code], [2, 'config_invalid']);
      assert.match(text, /hatchet\.tls_cert_file/);
    });

    it("refuses a client's certificate that another authority signed", async () => {
      h.env['WIN_AUTOMATION_HATCHET_TLS_CERT_FILE'] = others.client.cert;
      h.env['WIN_AUTOMATION_HATCHET_TLS_KEY_FILE'] = others.client.key;
      const { exitCode, text } = await enqueue();
      assert.equal(exitCode, 3);
      assert.match(text, /hatchet\.tls_strategy/);
    });
  });
}

/** What stands before a server's REST API in production: it takes https:// and passes it on. */
async function httpsInFrontOf(httpUrl: string, { server: { cert, key } }: Certificates): Promise<Server> {
  const front = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (from, to) => {
    const passed = request(httpUrl + from.url, { method: from.method ?? 'GET', headers: from.headers }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
    });
    passed.on('error', () => to.destroy());
    from.pipe(passed);
  });
  await new Promise<void>((done) => front.listen(0, '127.0.0.1', done));
  return front;
}
