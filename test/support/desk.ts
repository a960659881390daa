import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import axios from 'axios';

/**
 * Where test files, each a process of its own, ask Vitest's process for what the run has once.
 * @param provide what a request's path names; may take minutes; an error's message reaches who asked
 */
export async function openDesk(
  provide: (path: string) => Promise<unknown>,
): Promise<{ address: string; close(): void }> {
  const desk = createServer((request, response) => {
    const answer = (status: number, body: unknown): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    provide((request.url ?? '/').slice(1)).then(
      (body) => answer(200, body),
      (error: unknown) => answer(500, { error: (error as Error).message }),
    );
  });
  await new Promise<void>((resolve) => desk.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(desk.address() as AddressInfo).port}`,
    close: () => {
      desk.close();
      desk.closeAllConnections();
    },
  };
}

/** @throws Error with the message of what went wrong on the other side */
export async function askDesk<T>(address: string, path: string): Promise<T> {
  const { status, data } = await axios.get<T & { error: string }>(`${address}/${path}`, {
    proxy: false,
    validateStatus: null,
  });
  if (status !== 200) throw new Error(data.error);
  return data;
}
