import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { errorBody, type Answer } from './api-errors.js';
import { isEncoded, tooLarge } from './bodies.js';
import type { Headers, Observer, Request } from './observer.js';
import { JSON_TYPE } from './routes/score.js';
import type { AnswerScores } from './scoring-request.js';
import type { SetFacts } from './set-facts.js';

export interface FastLaneDeps {
  answerScores: AnswerScores;
  observer: Observer;
  /** what a refused request is answered with */
  refusal: (error: unknown, requestId: string, url: string | undefined) => Answer;
  /** of the set that is live; null without one */
  facts: () => SetFacts | null;
  requestId: (request: IncomingMessage) => string;
  bodyBytes: number;
}

const PATH = '/v1/score';
const TYPE = /^application\/json\s*(;|$)/i;

/**
 * Takes plain `POST /v1/score` before the framework sees it, which then does everything else: a framework's objects for a request cost as
 * much as its scores. Answers leave together at the end of the event loop's turn: written one by one, each would wake a client that has gone
 * to sleep since the last, and a wake-up costs more than a score (docs/decisions/0033).
 */
export function openFastLane(app: FastifyInstance, deps: FastLaneDeps): void {
  const others = app.server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
  app.server.removeAllListeners('request');
  const lane = createLane(deps);
  app.server.on('request', (request, response) => {
    const { method, url, headers } = request;
    // What is not plainly JSON is the framework's to refuse, with everything else that is unusual.
    if (method === 'POST' && url === PATH && TYPE.test(headers['content-type'] ?? '') && !isEncoded(headers))
      lane(request, response);
    else for (const other of others) other.call(app.server, request, response);
  });
}

function createLane({ answerScores, observer, refusal, facts, requestId, bodyBytes }: FastLaneDeps) {
  let waiting: (() => void)[] = [];
  const atTurnsEnd = (write: () => void): void => {
    if (waiting.length === 0)
      setImmediate(() => {
        const now = waiting;
        waiting = [];
        for (const write of now) write();
      });
    waiting.push(write);
  };

  const send = (request: Request, response: ServerResponse, status: number, text: string, set: SetFacts | null): void =>
    atTurnsEnd(() => {
      const headers: Headers = {
        'content-type': JSON_TYPE,
        'content-length': Buffer.byteLength(text),
        ...set?.versions,
      };
      if (status === 503) headers['retry-after'] = 1;
      response.writeHead(status, observer.headers(request, headers));
      response.end(text);
    });

  const refuse = (request: Request, response: ServerResponse, error: unknown): void => {
    const { status, error: shown } = refusal(error, request.id, PATH);
    const set = facts();
    observer.refused(request, status, set);
    send(request, response, status, JSON.stringify(errorBody(shown, request.id, PATH)), set);
  };

  return (incoming: IncomingMessage, response: ServerResponse): void => {
    const request: Request = { id: requestId(incoming), headers: incoming.headers };
    let first: Buffer | null = null;
    let rest: Buffer[] | null = null;
    let bytes = 0;
    let isOver = false;
    const refuseLength = (): void => {
      isOver = true;
      // The rest is not read: the connection ends with the answer.
      response.setHeader('connection', 'close');
      refuse(request, response, tooLarge());
    };
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (isOver) return;
      if (bytes > bodyBytes) refuseLength();
      else if (first === null) first = chunk;
      else (rest ??= [first]).push(chunk);
    });
    // A length that is too large as announced is not waited for.
    if (Number(incoming.headers['content-length']) > bodyBytes) refuseLength();
    incoming.on('end', () => {
      if (isOver) return;
      try {
        const body = rest === null ? (first ?? undefined) : Buffer.concat(rest);
        const done = answerScores(request, body, (text, set) => send(request, response, 200, text, set));
        done?.catch((error: unknown) => refuse(request, response, error));
      } catch (error) {
        refuse(request, response, error);
      }
    });
  };
}
