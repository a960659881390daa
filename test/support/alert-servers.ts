import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface SlackPost {
  text: string;
  blocks: { type: string; text: { type: string; text: string } }[];
}

/** How the next requests are answered, oldest first; then with `ok`. `hang` reads the message and says nothing; `cut` ends the connection. */
type SlackAnswer = { status: number; body?: string; retryAfter?: number } | 'hang' | 'cut';

/**
 * Slack's incoming webhook, strict as the real one: POST of JSON to the one path, with a text, blocks of known types within their lengths.
 * What it accepts is in `posts`.
 */
export async function startSlack(): Promise<{
  url: string;
  secret: string;
  posts: SlackPost[];
  answers: SlackAnswer[];
  close(): Promise<void>;
}> {
  const secret = '/services/T0/B0/very-secret';
  const posts: SlackPost[] = [];
  const answers: SlackAnswer[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const next = answers.shift();
    if (next === 'cut') return void request.socket.destroy();
    const end = (status: number, body: string, headers: Record<string, string> = {}) =>
      void response.writeHead(status, headers).end(body);
    if (request.method !== 'POST' || request.url !== secret) return end(404, 'no_service');
    if (!request.headers['content-type']?.startsWith('application/json')) return end(400, 'invalid_payload');
    if (typeof next === 'object')
      return end(
        next.status,
        next.body ?? '',
        next.retryAfter === undefined ? {} : { 'retry-after': String(next.retryAfter) },
      );
    const post = JSON.parse(Buffer.concat(chunks).toString()) as SlackPost;
    if (typeof post.text !== 'string' || post.text === '') return end(400, 'no_text');
    const limits: Record<string, number> = { header: 150, section: 3000 };
    if (!post.blocks.every(({ type, text }) => text.text !== '' && text.text.length <= (limits[type] ?? 0)))
      return end(400, 'invalid_blocks');
    posts.push(post);
    if (next !== 'hang') end(200, 'ok');
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${secret}`,
    secret,
    posts,
    answers,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A mail server that wants a log-in. @param port 0: any; `refuse` answers the recipient with this code; `afterData` decides over a message that was sent whole. */
export async function startMail(port = 0): Promise<{
  url: string;
  password: string;
  mails: string[];
  refuse: number[];
  afterData: (number | 'hang')[];
  close(): Promise<void>;
}> {
  const password = 'very-secret-too';
  const mails: string[] = [];
  const refuse: number[] = [];
  const afterData: (number | 'hang')[] = [];
  const failure = (code: number) => Object.assign(new Error('not now'), { responseCode: code });
  const options: SMTPServerOptions = {
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username, password: given }, _session, done) =>
      username === 'sluice' && given === password ? done(null, { user: username }) : done(failure(535)),
    onRcptTo: (_address, _session, done) => {
      const code = refuse.shift();
      done(code === undefined ? null : failure(code));
    },
    onData: (stream, _session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const next = afterData.shift();
        if (typeof next === 'number') return done(failure(next));
        mails.push(Buffer.concat(chunks).toString());
        if (next !== 'hang') done();
      });
    },
  };
  const server = new SMTPServer(options);
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: taken } = server.server.address() as AddressInfo;
  return {
    url: `smtp://sluice:${password}@127.0.0.1:${taken}`,
    password,
    mails,
    refuse,
    afterData,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
