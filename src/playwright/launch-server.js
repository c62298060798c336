// The Playwright server of win-automation. Runs under Node where the `playwright` package is installed beside it:
//   node launch-server.js [PORT]
//
// Playwright's own listener hands its secret path to whoever asks GET /json, so it stays on a loopback port under a path of
// its own, made anew at every start. In front of it stands a listener that lets through exactly one thing: a WebSocket
// upgrade of the path in ws_path.txt. Everything else gets 404 and no body.

const { createHash, randomBytes, timingSafeEqual } = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');

const defaults = { maxOpen: 32, maxFailures: 30, windowMs: 60000, handshakeMs: 10000 };
const digest = (text) => createHash('sha256').update(text).digest();

/**
 * Starts the listener in front.
 *
 * @param {object} options
 * @param {string} options.host address to listen on
 * @param {number} options.port port to listen on; 0 is any free one
 * @param {string} options.secretPath without a slash in front; the only path that is let through
 * @param {() => Promise<{port: number, path: string}>} options.backend Playwright's own listener on loopback
 * @returns {Promise<{port: number, close: () => Promise<void>}>}
 */
function startFront(options) {
  const { host, port, secretPath, backend, maxOpen, maxFailures, windowMs, handshakeMs } = { ...defaults, ...options };
  const wanted = digest(`/${secretPath}`);
  const sockets = new Set();
  const open = new Set();
  const failures = new Map();

  // A caller that fails too often within the window is not even answered.
  const isBanned = (address) => {
    const entry = failures.get(address);
    if (entry === undefined) return false;
    if (Date.now() - entry.sinceMs > windowMs) failures.delete(address);
    return failures.has(address) && entry.count >= maxFailures;
  };
  const refuse = (socket) => {
    const address = socket.remoteAddress || '';
    const entry = failures.get(address) || { count: 0, sinceMs: Date.now() };
    entry.count += 1;
    if (failures.size < 10000) failures.set(address, entry);
    socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    socket.destroySoon();
  };

  const server = http.createServer(
    { headersTimeout: handshakeMs, requestTimeout: handshakeMs },
    (request, response) => {
      // What is answered here is answered before its body is read.
      response.shouldKeepAlive = false;
      refuse(request.socket);
    },
  );
  server.maxHeadersCount = 100;
  server.on('clientError', (_error, socket) => refuse(socket));
  server.on('connect', (_request, socket) => refuse(socket));
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    if (sockets.size > maxOpen * 4 || isBanned(socket.remoteAddress || '')) socket.destroy();
  });
  server.on('upgrade', (request, socket, head) => {
    const isRight = timingSafeEqual(digest(request.url || ''), wanted);
    const isWebSocket = request.method === 'GET' && /^websocket$/i.test(request.headers.upgrade || '');
    if (!isRight || !isWebSocket || open.size >= maxOpen) return refuse(socket);
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    backend().then(
      (target) => carry(request, socket, head, target),
      () => socket.destroy(),
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      const close = () =>
        new Promise((closed) => {
          server.close(() => closed());
          for (const socket of sockets) socket.destroy();
        });
      resolve({ port: server.address().port, close });
    });
  });
}

/** Repeats the request to Playwright's own listener, its path replaced, and then only carries bytes. */
function carry(request, socket, head, target) {
  const inside = net.connect({ host: '127.0.0.1', port: target.port });
  inside.on('error', () => socket.destroy()).on('close', () => socket.destroy());
  socket.on('close', () => inside.destroy());
  const headers = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    headers.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}\r\n`);
  }
  inside.write(`GET /${target.path} HTTP/1.1\r\n${headers.join('')}\r\n`);
  if (head.length > 0) inside.write(head);
  socket.setTimeout(0);
  socket.setNoDelay(true);
  inside.setNoDelay(true);
  socket.pipe(inside).pipe(socket);
}

async function main() {
  const secretPath = fs.readFileSync(path.join(__dirname, 'ws_path.txt'), 'utf8').trim().replace(/^\/+/, '');
  if (secretPath.length < 16) throw new Error('ws_path.txt holds no secret of 16 characters or more');
  const browsers = path.join(__dirname, 'browsers');
  if (!process.env.PLAYWRIGHT_BROWSERS_PATH && fs.existsSync(browsers)) process.env.PLAYWRIGHT_BROWSERS_PATH = browsers;
  const { chromium } = require('playwright');
  const inner = randomBytes(24).toString('hex');
  const options = { host: '127.0.0.1', port: 0, wsPath: `/${inner}` };
  if (process.env.WIN_AUTOMATION_CHROMIUM) options.executablePath = process.env.WIN_AUTOMATION_CHROMIUM;
  if (process.env.WIN_AUTOMATION_CHROMIUM_ARGS) options.args = process.env.WIN_AUTOMATION_CHROMIUM_ARGS.split(' ');
  const server = await chromium.launchServer(options);
  const backend = async () => ({ port: Number(new URL(server.wsEndpoint()).port), path: inner });
  const front = await startFront({ host: '0.0.0.0', port: Number(process.argv[2] || 9323), secretPath, backend });
  console.log(`listening on ${front.port}`);
  // Without its browser this server is of no use: the task that runs it starts it again.
  server.on('close', () => process.exit(1));
}

module.exports = { startFront };

if (require.main === module) {
  main().catch((error) => {
    console.error(error);
    process.exit(1);
  });
}
