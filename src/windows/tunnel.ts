import { createServer, type Socket } from 'node:net';
import { messageOf } from '../core/errors.ts';
import type { WindowsHost } from './host.ts';

/** A loopback port of this machine that leads to a port inside Windows, as `ssh -L` does. */
export interface Tunnel extends AsyncDisposable {
  readonly port: number;
}

/**
 * Opens a tunnel through the host's SSH connection, so that nothing but SSH needs to be open on the VM. While it is open,
 * every user of this machine can use it.
 *
 * @param target as the far side sees it, such as 127.0.0.1 and 7888
 * @param signal ends what is being opened; the tunnel itself is closed by disposing of it
 */
export async function openTunnel(
  host: WindowsHost,
  target: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): Promise<Tunnel> {
  // Before anybody connects, so that an SSH error is told as such and not as a reset.
  await host.connection(signal);
  const sockets = new Set<Socket>();
  const carry = async (socket: Socket) => {
    const connection = await host.connection(signal);
    const stream = await connection.openStream(target.host, target.port);
    stream.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => stream.destroy());
    socket.pipe(stream).pipe(socket);
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    carry(socket).catch((error: unknown) => {
      host.logger.debug('tunnel', 'no stream', { port: target.port, err: messageOf(error) });
      socket.resetAndDestroy();
    });
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  return {
    port,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
