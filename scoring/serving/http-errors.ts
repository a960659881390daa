import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { toAnswer, type ErrorType } from './api-errors.js';

/** Refused by the HTTP parser, before there is a request that Fastify knows of. */
const OF_THE_PARSER: Readonly<Record<string, [status: number, reason: string, type: ErrorType, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'InvalidInput', 'the request did not arrive in time'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'InvalidInput', 'the headers are too large'],
};

/** Answers a client that does not speak HTTP, or never finishes what it sends, in the form of every other error. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  // The client is gone, or was answered before.
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
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
