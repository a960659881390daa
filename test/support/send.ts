import { request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';

export interface Sent {
  statusCode: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
  json<T>(): T;
}

/** Posts a body to a listening app, as JSON, on a connection of its own. A header that is undefined is left out. */
export async function sendTo(
  app: FastifyInstance,
  body: string | Buffer,
  headers: Record<string, string | undefined> = {},
  path = '/v1/score',
): Promise<Sent> {
  const { port } = app.server.address() as AddressInfo;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sending = request({ host: '127.0.0.1', port, path, method: 'POST' }, resolve);
    for (const [name, value] of Object.entries({ 'content-type': 'application/json', ...headers }))
      if (value !== undefined) sending.setHeader(name, value);
    sending.on('error', reject);
    sending.end(body);
  });
  const answer = await text(response);
  return {
    statusCode: response.statusCode ?? 0,
    headers: response.headers,
    body: answer,
    json: <T>() => JSON.parse(answer) as T,
  };
}
