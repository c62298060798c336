import { createConnection, createServer, type Socket } from 'node:net';

/** A TCP proxy on loopback that a test can make misbehave. */
export interface TestProxy {
  readonly port: number;
  /** Connections that came in so far. */
  readonly connections: () => number;
  /** Cuts every connection that is open. */
  cut(): void;
  close(): Promise<void>;
}

/**
 * Starts a proxy.
 *
 * @param targetPort where connections go; undefined takes them and stays silent
 * @param refuseFirst how many connections are reset before one is let through
 * @param port where it listens; 0 for any that is free
 */
export function startProxy(targetPort: number | undefined, refuseFirst = 0, port = 0): Promise<TestProxy> {
  const sockets = new Set<Socket>();
  let count = 0;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };
  const server = createServer((socket) => {
    count += 1;
    keep(socket);
    if (count <= refuseFirst) {
      socket.resetAndDestroy();
    } else if (targetPort !== undefined) {
      const target = createConnection({ host: '127.0.0.1', port: targetPort });
      keep(target);
      socket.pipe(target).pipe(socket);
      socket.on('close', () => target.destroy());
      target.on('close', () => socket.destroy());
    }
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const listening = typeof address === 'object' && address !== null ? address.port : 0;
      const close = async () => {
        cut();
        await new Promise((closed) => server.close(closed));
      };
      resolve({ port: listening, connections: () => count, cut, close });
    });
  });
}
