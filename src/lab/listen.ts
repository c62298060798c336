import type { Server } from 'node:net';

export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Starts a server on loopback.
 *
 * @param cut ends the connections that are open when it is closed
 * @param wanted port; 0 is any free one
 */
export function listenOnLoopback(server: Server, cut: () => void, wanted = 0): Promise<Listening> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      const close = () =>
        new Promise<void>((closed) => {
          server.close(() => closed());
          cut();
        });
      resolve({ port, close });
    });
  });
}
