import type { Server } from 'node:http';

/**
 * Follows a server's connections. The function it returns resolves when none is open any more, or after `maxMs`. While it waits the server
 * answers as ever, each answer with `connection: close` (app.ts), so that clients leave after an answer and not in the middle of a
 * request: closing an idle connection from here would race with the client's next one.
 */
export function drainConnections(server: Server): (maxMs: number) => Promise<void> {
  let open = 0;
  let onNone: (() => void) | null = null;
  server.on('connection', (socket) => {
    open += 1;
    socket.once('close', () => {
      open -= 1;
      if (open === 0) onNone?.();
    });
  });
  return (maxMs) =>
    new Promise((resolve) => {
      if (open === 0) {
        resolve();
        return;
      }
      const timer = setTimeout(resolve, maxMs);
      onNone = () => {
        clearTimeout(timer);
        resolve();
      };
    });
}
