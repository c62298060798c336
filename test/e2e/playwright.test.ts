import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, it } from 'node:test';
import { installExecutable, type RunOptions, whyNoExecutable } from '../support/executable.ts';
import { whyNoLab } from '../support/lab.ts';
import { LabAndProgram } from '../support/lab-and-program.ts';
import { suite } from '../support/suite.ts';

const whyNoChromium = existsSync('/usr/bin/chromium') ? undefined : 'no /usr/bin/chromium: install chromium';
const secret = 'a-secret-path-of-some-length';
const skip = whyNoExecutable ?? whyNoLab ?? whyNoChromium ?? false;

suite('playwright', skip, () => {
  const at = new LabAndProgram();
  const run = (args: readonly string[], options: RunOptions = {}) => at.run(['playwright', ...args], options);
  const page = 'data:text/html,<title>the title</title><h1>hello</h1>';
  const manifestOf = (words: Record<string, string>) =>
    JSON.parse(readFileSync(join(at.program.home, words['artifacts'] ?? '', 'manifest.json'), 'utf8'));
  const artifact = (words: Record<string, string>, name: string) =>
    join(at.program.home, words['artifacts'] ?? '', 'playwright', name);
  const flowFile = (name: string, text: string) => {
    writeFileSync(join(at.program.home, name), text);
    return name;
  };

  it('health really connects', async () => {
    const { exitCode, words } = await run(['health']);
    assert.deepEqual([exitCode, words['reason']], [0, 'connected']);
    assert.match(words['detail'] ?? '', /Chromium \d+/);
  });

  it('health tells a wrong secret, with exit 3, and never prints it', async () => {
    const secret = 'not-the-right-secret-path';
    const { exitCode, stdout, stderr } = await run(['health', '--json'], {
      env: { WIN_AUTOMATION_PLAYWRIGHT_WS_PATH: secret },
    });
    assert.equal(exitCode, 3);
    assert.equal(JSON.parse(stdout.toString()).checks[0].reason, 'playwright_refused');
    assert.ok(!stdout.toString().includes(secret) && !stderr.includes(secret));
  });

  it('health without a secret is a configuration error that says how to set it', async () => {
    const { exitCode, logs } = await run(['health'], { env: { WIN_AUTOMATION_PLAYWRIGHT_WS_PATH: '' } });
    assert.equal(exitCode, 2);
    assert.match(logs.at(-1)?.['hint'] ?? '', /WIN_AUTOMATION_PLAYWRIGHT_WS_PATH_FILE/);
  });

  it('health names both versions where the server is of another one, and the command that mends it', async () => {
    await at.lab.setFault('playwright-old', true);
    const { exitCode, stdout } = await run(['health', '--json']);
    await at.lab.setFault('playwright-old', false);
    const [verdict] = JSON.parse(stdout.toString()).checks;
    assert.deepEqual([exitCode, verdict.reason], [3, 'version_mismatch']);
    assert.match(verdict.detail, /1\.58.*1\.65/);
    assert.match(verdict.hints.join(' '), /npm install --prefix .* playwright@1\.65/);
  });

  it('reaches the server through SSH', async () => {
    const env = { WIN_AUTOMATION_PLAYWRIGHT_TRANSPORT: 'ssh', WIN_AUTOMATION_PLAYWRIGHT_PORT: '9323' };
    assert.equal((await run(['health'], { env })).exitCode, 0);
  });

  it('run keeps a screenshot and a trace that opens', async () => {
    const { exitCode, words, stderr } = await run(['run', '--url', page, '--screenshot', '--trace']);
    assert.deepEqual([exitCode, words['title']], [0, 'the title'], stderr);
    assert.equal(readFileSync(artifact(words, 'screenshot.png')).subarray(1, 4).toString(), 'PNG');
    assert.ok(readFileSync(artifact(words, 'trace.zip')).includes('trace.trace'));
    assert.deepEqual(
      manifestOf(words)
        .artifacts.map(({ path }: { path: string }) => path)
        .sort(),
      ['playwright/screenshot.png', 'playwright/trace.zip'],
    );
  });

  it('run takes a flow with parameters, which keeps artifacts and gives a value', async () => {
    const flow = flowFile(
      'flow.ts',
      `export default async ({ page, params, artifact, log }: any): Promise<unknown> => {
        await page.setContent('<title>' + params.name + '</title>');
        await artifact('note.txt', 'kept');
        log('half way', { n: 1 });
        return { title: await page.title() };
      };`,
    );
    const { exitCode, stdout, logs } = await run(['run', flow, '--param', 'name=Ada', '--json']);
    const payload = JSON.parse(stdout.toString());
    assert.deepEqual([exitCode, payload.value], [0, { title: 'Ada' }]);
    assert.equal(readFileSync(artifact(payload, 'note.txt'), 'utf8'), 'kept');
    assert.ok(logs.some(({ msg, n }) => msg === 'half way' && n === '1'));
  });

  it('run of a flow that throws fails with its words, and saves what it looked like', async () => {
    const flow = flowFile('bad.mjs', "export default async () => { throw new Error('no such button'); };");
    const { exitCode, words } = await run(['run', flow]);
    assert.equal(exitCode, 1);
    assert.match(words['error'] ?? '', /no such button/);
    assert.ok(statSync(artifact(words, 'screenshot.png')).size > 0);
    assert.ok(statSync(artifact(words, 'trace.zip')).size > 0);
  });

  it('run of a flow that hangs ends at its deadline, and saves what it looked like', async () => {
    const flow = flowFile('hang.mjs', 'export default () => new Promise(() => {});');
    const { exitCode, words, durationMs } = await run(['run', flow, '--timeout', '3s']);
    assert.deepEqual([exitCode, words['state']], [4, 'timeout']);
    assert.ok(durationMs < 20_000);
    assert.ok(statSync(artifact(words, 'trace.zip')).size > 0);
  });

  it('run ends at its deadline where the page blocks its thread', async () => {
    const blocking = 'data:text/html,<body onload="setTimeout(() => { for (;;) {} }, 20)">';
    const { exitCode, words, durationMs } = await run(['run', '--url', blocking, '--screenshot', '--timeout', '3s']);
    assert.deepEqual([exitCode, words['state']], [4, 'timeout']);
    assert.ok(durationMs < 15_000, `${durationMs} ms`);
  });

  it('run ends with exit 3, and does not hang, where the server goes away', async () => {
    const flow = flowFile(
      'long.mjs',
      "export default async ({ page }) => { await page.goto('about:blank'); await new Promise(() => {}); };",
    );
    const pending = run(['run', flow, '--timeout', '60s']);
    setTimeout(() => void at.lab.setFault('playwright-dead', true), 2_500);
    const { exitCode, durationMs } = await pending;
    await at.lab.setFault('playwright-dead', false);
    assert.equal(exitCode, 3);
    assert.ok(durationMs < 30_000);
  });

  for (const [what, args] of [
    ['neither a url nor a flow', ['run']],
    ['both', ['run', 'x.ts', '--url', 'https://example.com']],
    ['no address', ['run', '--url', 'file:///etc/passwd']],
    ['a flow that is not there', ['run', 'no-such-flow.ts']],
  ] as const) {
    it(`run refuses ${what} with exit 2`, async () => assert.equal((await run(args)).exitCode, 2));
  }

  it('install makes the server ready, with a new secret under --rotate', async () => {
    const { exitCode, stdout } = await run(['install', '--rotate', '--json']);
    const { ws_path_file, steps } = JSON.parse(stdout.toString());
    assert.equal(exitCode, 0);
    assert.equal(statSync(ws_path_file).mode & 0o777, 0o600);
    assert.equal(steps.at(-1).step, 'answers');
    const secret = readFileSync(ws_path_file, 'utf8').trim();
    assert.equal(secret.length, 43);
    assert.ok(!stdout.toString().includes(secret));
    assert.ok(at.lab.started.every((line) => !line.includes(secret)));
    const env = { WIN_AUTOMATION_PLAYWRIGHT_WS_PATH: '', WIN_AUTOMATION_PLAYWRIGHT_WS_PATH_FILE: ws_path_file };
    assert.equal((await run(['health'], { env })).exitCode, 0);
    assert.equal((await run(['health'])).exitCode, 3);
    // Back to what the other tests know.
    assert.equal((await run(['install'])).exitCode, 0);
  });

  for (const [fault, missing] of [
    ['node-missing', 'missing_node'],
    ['playwright-missing', 'missing_playwright'],
  ] as const) {
    it(`install says ${missing}, with the command to run and exit 3`, async () => {
      await at.lab.setFault(fault, true);
      const { exitCode, logs } = await run(['install']);
      await at.lab.setFault(fault, false);
      assert.deepEqual([exitCode, logs.at(-1)?.['missing']], [3, missing]);
      assert.match(logs.at(-1)?.['hint'] ?? '', /^on Windows: (winget|npm) install/);
    });
  }

  it('types prints the types of a flow', async () => {
    assert.match((await run(['types'])).stdout.toString(), /export type Flow/);
  });
});

/** launch-server.js itself, under real Node, with a real Chromium behind it. */
suite('launch-server.js', whyNoChromium ?? false, () => {
  let server: NodeServer;
  let port = 0;
  before(async () => {
    server = await startUnderNode('playwright-core');
    port = server.port;
  });
  after(() => server.stop());

  /** Sends bytes as they are and returns all that comes back. */
  const send = (text: string): Promise<string> =>
    new Promise((done) => {
      let answer = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      socket.setTimeout(3_000, () => socket.destroy());
      socket.on('data', (chunk) => {
        answer += chunk;
      });
      socket.on('error', () => undefined).on('close', () => done(answer));
    });
  const upgrade = (target: string, host = 'x') =>
    `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
  const nothing = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

  it('serves a browser to whoever knows the path', async () => {
    const { chromium } = await import('playwright-core');
    const browser = await chromium.connect(`ws://127.0.0.1:${port}/${secret}`);
    const page = await browser.newPage();
    await page.setContent('<title>in</title>');
    assert.equal(await page.title(), 'in');
    await browser.close();
  });

  for (const [what, text] of [
    ['GET /json', 'GET /json HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['GET /', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['the secret path without an upgrade', `GET /${secret} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ['an upgrade of a wrong path', upgrade('/wrong')],
    ['an upgrade of /json', upgrade('/json')],
    ['a path that goes on', upgrade(`/${secret}/`)],
    ['a path with a query', upgrade(`/${secret}?a`)],
    ['two slashes', upgrade(`//${secret}`)],
    ['an absolute address', upgrade(`http://127.0.0.1/${secret}`)],
    ['an encoded path', upgrade(`/%61${secret.slice(1)}`)],
    ['CONNECT', 'CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a chunked body', 'POST /json HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
    ['no HTTP at all', '\x16\x03\x01 hello\r\n\r\n'],
  ] as const) {
    it(`tells nothing to ${what}`, async () => assert.equal(await send(text), nothing));
  }

  it('does not even answer one who failed too often', async () => {
    for (let i = 0; i < 40; i += 1) await send('GET /json HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.equal(await send('GET /json HTTP/1.1\r\nHost: x\r\n\r\n'), '');
  });
});

suite('a Playwright server of another version', skip, () => {
  it('is named with both versions, under real Node and real Playwright', async () => {
    const program = installExecutable();
    const server = await startUnderNode('playwright-core-old');
    const env = { WIN_AUTOMATION_PLAYWRIGHT_PORT: `${server.port}`, WIN_AUTOMATION_PLAYWRIGHT_WS_PATH: secret };
    const { exitCode, stdout } = await program.run(['playwright', 'health', '--json'], { env });
    server.stop();
    program.remove();
    const [verdict] = JSON.parse(stdout.toString()).checks;
    assert.deepEqual([exitCode, verdict.reason], [3, 'version_mismatch']);
    assert.match(verdict.detail, /1\.58.*1\.65/);
  });
});

interface NodeServer {
  readonly port: number;
  stop(): void;
}

/** Starts launch-server.js under Node on a free port. @param core the package that stands for `playwright` */
async function startUnderNode(core: string): Promise<NodeServer> {
  const dir = mkdtempSync(join(tmpdir(), 'wa-launch-'));
  writeFileSync(join(dir, 'launch-server.js'), readFileSync('src/playwright/launch-server.js'));
  writeFileSync(join(dir, 'ws_path.txt'), `${secret}\n`);
  mkdirSync(join(dir, 'node_modules'));
  symlinkSync(resolve('node_modules', core), join(dir, 'node_modules/playwright'));
  const child = spawn('node', [join(dir, 'launch-server.js'), '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      WIN_AUTOMATION_CHROMIUM: '/usr/bin/chromium',
      WIN_AUTOMATION_CHROMIUM_ARGS: '--no-sandbox --disable-gpu --disable-background-networking',
    },
  });
  const port = await new Promise<number>((done, fail) => {
    child.once('exit', (code) => fail(new Error(`it ended with ${code}`)));
    child.stdout.on('data', (text) => {
      const found = /listening on (\d+)/.exec(String(text));
      if (found) done(Number(found[1]));
    });
  });
  return {
    port,
    stop: () => {
      child.kill('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
