import { readFileSync } from 'node:fs';
import Fastify from 'fastify';
import { answerOf } from './answer.js';

// A Fastify route with nothing in it: `node fastify.js PORT ANSWER_BYTES REQUEST_SCHEMA` validates one transaction and answers with as many bytes
// as a scorer.

const [port = '', bytes = '', schemaFile = ''] = process.argv.slice(2);
const answer = answerOf(Number(bytes));
const { $schema: _, ...body } = JSON.parse(readFileSync(schemaFile, 'utf8')) as Record<string, unknown>;

const app = Fastify();
app.post('/v1/score', { schema: { body } }, (_request, reply) => {
  void reply.type('application/json; charset=utf-8').send(answer);
});
app.get('/v1/health', () => ({ status: 'ready' }));
await app.listen({ host: '127.0.0.1', port: Number(port) });
