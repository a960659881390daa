import { createServer } from 'node:http';
import { answerOf } from './answer.js';

// The least that a JSON service on Node can do: `node node.js PORT ANSWER_BYTES` reads a body, parses it, and answers with as many bytes as a scorer.

const [port, bytes] = process.argv.slice(2).map(Number);
const answer = answerOf(bytes ?? 0);
const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': answer.length };

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const [first] = chunks;
    const body = first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
    if (body.length > 0) JSON.parse(body.toString('utf8'));
    response.writeHead(200, headers);
    response.end(answer);
  });
}).listen(port, '127.0.0.1');
