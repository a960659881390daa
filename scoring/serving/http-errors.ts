import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { toAnswer, type ErrorType } from './api-errors.js';

/** Refused by the HTTP parser, before there is a request that Fastify knows of. */
const OF_THE_PARSER: Readonly<Record<string, [status: number, reason: string, type: ErrorType, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'InvalidInput', 'the request did not arrive in time'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'InvalidInput', 'the headers are too large'],
};

/** how long a refused client may take to close its side */
const LINGER_MS = 1_000;

const refused = new WeakSet<Socket>();

/** Answers a client that does not speak HTTP, or never finishes what it sends, in the form of every other error, and closes the connection. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  // The client is gone, or is being refused already.
  if (error.code === 'ECONNRESET' || socket.destroyed || refused.has(socket)) return;
  refused.add(socket);
  afterAnswers(socket, () => refuse(error, socket));
}

/**
 * Answers have the order of their requests: whoever asked before something broken came along the same connection is answered first.
 * (Node keeps the answer that has its turn on a connection in `_httpMessage`, and looks there itself before it refuses what is broken.)
 */
function afterAnswers(socket: Socket & { _httpMessage?: ServerResponse | null }, then: () => void): void {
  const open = socket._httpMessage;
  // One to an incomplete request is the broken one's own.
  if (open === undefined || open === null || !open.req.complete) then();
  else open.once('close', () => afterAnswers(socket, then));
}

function refuse(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy(error);
    return;
  }
  const [status, reason, type, message] = OF_THE_PARSER[error.code ?? ''] ?? [
    400,
    'Bad Request',
    'InvalidInput' as const,
    `this is not HTTP/1.1: ${error.message}`,
  ];
  const body = JSON.stringify({ error: { type, message }, request_id: randomUUID() });
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  // Nobody may hold a connection by never closing it.
  const late = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(late));
}

/** A path that cannot be decoded, for example: known before there is a route. */
export function answerBadPath(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const { status, error: shown } = toAnswer(error);
  void reply.code(status).send({ error: shown, request_id: request.id });
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** 405 with the methods that a known path takes, 404 for any other path. */
export function answerNoRoute(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split('?')[0] ?? '';
  const allowed = METHODS.filter((method) => app.hasRoute({ method, url: path }));
  if (allowed.length === 0)
    return reply.code(404).send({
      error: { type: 'NotFound', message: `there is no ${request.method} ${path}; see /openapi.json` },
      request_id: request.id,
    });
  return reply
    .code(405)
    .header('allow', allowed.join(', '))
    .send({
      error: { type: 'InvalidInput', message: `${path} takes ${allowed.join(', ')}, not ${request.method}` },
      request_id: request.id,
    });
}
