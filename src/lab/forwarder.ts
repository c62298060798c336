import { createConnection, createServer, type Socket } from 'node:net';
import { type Listening, listenOnLoopback } from './listen.ts';
import type { LabState } from './state.ts';

/**
 * The host's forwarded port of one port inside Windows. It always takes connections, as QEMU's and Docker's do; where the
 * Windows firewall swallows, nothing comes back (context.md, "Common issue"), and where nobody listens, a reset does.
 */
export function startForwarder(state: LabState, guestPort: number): Promise<Listening> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };
  const server = createServer((socket) => {
    keep(socket);
    if (!state.isAllowed(guestPort)) return;
    const port = state.listeners.get(guestPort);
    if (port === undefined) return void socket.resetAndDestroy();
    const inside = createConnection({ host: '127.0.0.1', port });
    keep(inside);
    socket.pipe(inside).pipe(socket);
    socket.on('close', () => inside.destroy());
    inside.on('close', () => socket.destroy());
  });
  return listenOnLoopback(server, () => {
    for (const socket of sockets) socket.destroy();
  });
}
