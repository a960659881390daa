import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectPath } from '../../platform/project.js';
import { openTiny } from '../../test/support/live-tiny-bundle.js';
import { type RawAnswer, rawRequest, sendRaw } from '../../test/support/raw-http.js';
import { listeningApp } from '../../test/support/scorer-app.js';
import { seeded } from '../../test/support/seeded.js';
import { tinyTransaction } from '../../test/support/tiny-bundle.js';
import { createServingSets, type ServingSets } from '../traffic/serving-sets.js';
import type { ApiError, ScoreResponse } from './api-schemas.js';

// The same bodies go the two ways that there are, the fast lane and the framework's route, over real connections.
let sets: ServingSets;
let apps: FastifyInstance[];
let fast: number;
let framework: number;

beforeAll(async () => {
  sets = createServingSets(({ champion }) => void champion.close());
  sets.replace(await openTiny({ generation: 7 }));
  // A limit per client is the framework's to keep: with one, nothing takes the fast lane.
  const [a, b] = await Promise.all([listeningApp(sets), listeningApp(sets, { scoresPerMinute: 1_000_000 })]);
  apps = [a.app, b.app];
  [fast, framework] = [a.port, b.port];
});
afterAll(async () => {
  await Promise.all(apps.map((app) => app.close()));
  sets.replace(null);
});

type Body = string | Buffer;
const good = JSON.stringify(tinyTransaction);

/** All on one connection, one right behind the other; the last is a good one, which must be answered whatever came before it. */
async function askAll(port: number, bodies: readonly Body[], headers: Record<string, string> = {}) {
  const requests = bodies.map((body, index) => rawRequest(body, { ...headers, 'x-request-id': `r-${index}` }));
  const last = rawRequest(good, { connection: 'close', 'x-request-id': 'last' });
  const answers = await sendRaw(port, [Buffer.concat([...requests, last])]);
  expect(answers.map((answer) => answer.headers['x-request-id'])).toEqual([...bodies.map((_, i) => `r-${i}`), 'last']);
  expect(answers.pop()?.status).toBe(200);
  return answers;
}

const ofInterest = ({ status, headers, body }: RawAnswer) => ({
  status,
  body,
  type: headers['content-type'],
  version: headers['x-bundle-version'],
  sniff: headers['x-content-type-options'],
});

/** Asks both ways, which must agree in all that a client sees. */
async function ask(bodies: readonly Body[], headers: Record<string, string> = {}): Promise<RawAnswer[]> {
  const [one, other] = await Promise.all([askAll(fast, bodies, headers), askAll(framework, bodies, headers)]);
  expect(one.map(ofInterest)).toEqual(other.map(ofInterest));
  return one;
}

/** Above the limit of a body the connection ends with the answer. */
async function askTooLarge(body: Body): Promise<number[]> {
  // A client that is still sending when the answer closes the connection may lose the answer: which of the two it sees is a race.
  const closed = (error: NodeJS.ErrnoException): RawAnswer[] => {
    if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') throw error;
    return [{ status: 413 } as RawAnswer];
  };
  const answers = await Promise.all([fast, framework].map((port) => sendRaw(port, [rawRequest(body)]).catch(closed)));
  await ask([good]);
  return answers.map(([answer]) => answer?.status ?? 0);
}

const withAmount = (text: string): string => good.replace('120.5', text);
const errorOf = ({ body }: RawAnswer): ApiError['error'] => (JSON.parse(body) as ApiError).error;

describe('bodies from corpora', () => {
  const folder = projectPath('test', 'corpora', 'json-test-suite');
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));

  it.each([
    ['y_', [400, 422], /^it must be|is not a known key|is missing|list is empty|the same key twice|is refused/],
    ['n_', [400], /^the body is (not (JSON|UTF-8)|empty)/],
    ['i_', [400, 422], /./],
  ] as const)('JSONTestSuite, %s: never a failure of ours', async (kind, statuses, message) => {
    const chosen = names.filter((name) => name.startsWith(kind));
    expect(chosen.length).toBeGreaterThan(30);
    const answers = await ask(chosen.map((name) => readFileSync(`${folder}/${name}`)));
    answers.forEach((answer, index) => {
      expect(statuses, chosen[index]).toContain(answer.status);
      expect(errorOf(answer).message, chosen[index]).toMatch(message);
    });
  });

  it('a naughty string is taken for what it is, in every field, and comes back as it was sent', async () => {
    const listed = JSON.parse(readFileSync(projectPath('test', 'corpora', 'blns.json'), 'utf8')) as string[];
    const strings = [...listed, '\ud800', '\udfff\ud800', 'a\ud83d', '\u2028\u2029', '\0', 'a\0b', '\ufeff', '\x7f'];
    const fields = ['transaction_id', 'customer_id', 'operation_type', 'merchant_name'];
    const sent = fields.flatMap((field) => strings.map((text) => ({ ...tinyTransaction, [field]: text })));
    const answers = await ask(sent.map((transaction) => JSON.stringify(transaction)));
    const scored = answers.filter(({ status }) => status === 200);
    expect(scored.length).toBeGreaterThan(sent.length / 2);
    answers.forEach(({ status, body }, index) => {
      const transaction = sent[index] as typeof tinyTransaction;
      expect([200, 422], JSON.stringify(transaction)).toContain(status);
      if (status === 200)
        expect((JSON.parse(body) as ScoreResponse).results[0]?.transaction_id).toBe(transaction.transaction_id);
    });
  });
});

describe('numbers and keys at the edges', () => {
  it.each([
    ['-0', 200],
    ['-0.0e-999', 200],
    ['-1e-400', 200],
    ['5e-324', 200],
    ['1E+2', 200],
    ['9007199254740993', 200],
    [`1${'0'.repeat(30)}`, 200],
    [`0.${'1'.repeat(50_000)}`, 200],
    ['1e38', 200],
    ['1e41', 422],
    ['1e308', 422],
    ['1e400', 422],
    [`1e${'9'.repeat(1_000)}`, 422],
    ['-1e400', 422],
    ['-5e-324', 422],
    ['"NaN"', 422],
    ['"120.5"', 422],
    ['{"valueOf":1}', 422],
    ['NaN', 400],
    ['-Infinity', 400],
    ['01', 400],
    ['+1', 400],
    ['0x10', 400],
    ['1_000', 400],
    ['.5', 400],
    ['1.', 400],
  ])('an amount of %s: %i', async (text, status) => {
    const [answer] = await ask([withAmount(text)]);
    expect(answer?.status).toBe(status);
    if (status !== 200) expect(errorOf(answer as RawAnswer).message).toMatch(status === 422 ? /\/amount/ : /not JSON/);
    else expect(answer?.body).not.toMatch(/null|NaN|Infinity/);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', ''])(
    'a key %j is an unknown key, and stays without effect',
    async (key) => {
      const own = `${JSON.stringify(key)}:${good}`;
      const answers = await ask([`{${own}}`, good.replace('{', `{${own},`), `[${good},{${own}}]`, good]);
      expect(answers.map(({ status }) => status)).toEqual([422, 422, 422, 200]);
      expect(errorOf(answers[1] as RawAnswer).violations).toHaveLength(1);
      expect(({} as Record<string, unknown>)['amount']).toBeUndefined();
    },
  );

  it.each([
    ['at the top', good.replace('{', '{"amount":1,')],
    ['with the same value', good.replace('{', '{"amount":120.5,')],
    ['escaped', good.replace('{', '{"\\u0061mount":1,')],
    ['escaped, in a list', `[${good},${good.replace('{', '{"amoun\\u0074":1,')}]`],
    ['in what is refused anyway', withAmount('{"a":1,"a":1}')],
    ['deep down', withAmount(`${'[{"x":'.repeat(5_000)}{"a":1,"\\u0061":2}${'}]'.repeat(5_000)}`)],
    ['twice __proto__', '{"__proto__":1,"__proto__":1}'],
    ['with quotes in it', '{"\\"":1,"\\u0022":2}'],
    ['whose former value had many keys', good.replace('{', '{"amount":{"a":{"b":["c"]}},')],
  ])('the same key twice, %s', async (_where, body) => {
    const [answer] = await ask([body]);
    expect(answer?.status).toBe(400);
    expect(errorOf(answer as RawAnswer).message).toMatch(/the same key twice/);
  });
});

describe('size and depth', () => {
  it('depth of 100,000', async () => {
    const [lists, objects] = ['['.repeat(100_000) + ']'.repeat(100_000), '{"a":'.repeat(100_000)];
    const answers = await ask([
      lists,
      lists.slice(0, 100_000),
      `${objects}1${'}'.repeat(100_000)}`,
      objects,
      withAmount(lists),
      withAmount(`${objects}1${'}'.repeat(100_000)}`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([422, 400, 422, 400, 422, 422]);
    for (const { body } of answers) expect(body.length).toBeLessThan(1_000);
  });

  it('lists of none, the most, and one more', async () => {
    const list = (count: number) => `[${Array.from({ length: count }, () => good).join()}]`;
    const answers = await ask(['[]', list(1_000), list(1_001), `[${'1,'.repeat(400_000)}1]`]);
    expect(answers.map(({ status }) => status)).toEqual([400, 200, 400, 400]);
    expect((JSON.parse(answers[1]?.body as string) as ScoreResponse).results).toHaveLength(1_000);
  });

  it('a list of wrong rows is answered with some of the reasons', async () => {
    const [answer] = await ask([`[${Array.from({ length: 1_000 }, () => '{}').join()}]`]);
    expect(answer?.status).toBe(422);
    expect(errorOf(answer as RawAnswer).violations).toHaveLength(100);
  });

  it('bodies of 10 MB', async () => {
    const large = 10 * 1024 * 1024;
    expect(await askTooLarge(`[${' '.repeat(large)}]`)).toEqual([413, 413]);
    expect(await askTooLarge(Buffer.alloc(large))).toEqual([413, 413]);
    expect(await askTooLarge(good + ' '.repeat(1024 * 1024 + 1 - good.length))).toEqual([413, 413]);
    expect((await ask([good + ' '.repeat(1024 * 1024 - good.length)]))[0]?.status).toBe(200);
  });
});

describe('bytes that are no UTF-8, or not JSON', () => {
  const inMerchant = (...bytes: number[]): Buffer => {
    const [before, after] = good.split('Corner') as [string, string];
    return Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
  };
  it.each<[string, Body]>([
    ['a byte order mark', `\ufeff${good}`],
    ['UTF-16, little end first', Buffer.from(good, 'utf16le')],
    ['UTF-16 with a byte order mark', Buffer.from(`\ufeff${good}`, 'utf16le')],
    ['UTF-16, big end first', Buffer.from(good, 'utf16le').swap16()],
    ['an overlong slash', inMerchant(0xc0, 0xaf)],
    ['an overlong slash of three bytes', inMerchant(0xe0, 0x80, 0xaf)],
    ['an overlong NUL', inMerchant(0xc0, 0x80)],
    ['a surrogate', inMerchant(0xed, 0xa0, 0x80)],
    ['beyond Unicode', inMerchant(0xf4, 0x90, 0x80, 0x80)],
    ['half a character', inMerchant(0xe2, 0x82)],
    ['a raw NUL', inMerchant(0)],
    ['a raw line end', inMerchant(10)],
    ['a NUL behind it', `${good}\0`],
    ['two documents', good + good],
    ['compressed, and not said so', gzipSync(good)],
    ['nothing', ''],
    ['blanks', ' \n '],
  ])('%s', async (_what, body) => {
    const [answer] = await ask([body]);
    expect(answer?.status).toBe(400);
    expect(errorOf(answer as RawAnswer).message).toMatch(/not JSON|not UTF-8|is empty/);
  });

  it.each([
    ['text/plain', 415],
    ['application/jsonx', 415],
    ['application/json x', 415],
    ['application/json,text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['', 415],
    ['x', 415],
    ['APPLICATION/JSON', 200],
    ['application/json ;charset=utf-8', 200],
    // JSON is UTF-8 whatever is said (RFC 8259): a charset has no meaning for it.
    ['application/json;charset=utf-16', 200],
  ])('content type %j: %i', async (type, status) =>
    expect((await ask([good], { 'content-type': type }))[0]?.status).toBe(status),
  );

  it.each([
    ['content-encoding', 'gzip', 415],
    ['content-encoding', 'br', 415],
    ['content-encoding', 'identity, gzip', 415],
    ['content-encoding', 'identity', 200],
    ['transfer-encoding', 'gzip, chunked', 415],
    ['transfer-encoding', 'chunked', 200],
  ])('%s %s: %i, whatever is in it', async (name, encoding, status) => {
    for (const body of status === 200 ? [good] : [good, gzipSync(good)]) {
      const bytes = Buffer.from(body);
      const chunk = [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n0\r\n\r\n')];
      const sent = name === 'transfer-encoding' ? Buffer.concat(chunk) : bytes;
      for (const port of [fast, framework]) {
        const [answer] = await sendRaw(port, [rawRequest(sent, { [name]: encoding, connection: 'close' })]);
        expect(answer?.status).toBe(status);
        if (status === 415) expect(errorOf(answer as RawAnswer).message).toMatch(/without a content encoding/);
      }
    }
  });
});

describe('the fast lane and the framework', () => {
  it('answer alike, whatever the body', async () => {
    const part = fc.oneof(
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc
        .tuple(fc.constantFrom(...Object.keys(tinyTransaction)), fc.jsonValue())
        .map(([field, value]) => JSON.stringify({ ...tinyTransaction, [field]: value })),
      // one character less, more or other
      fc
        .tuple(fc.nat(good.length), fc.nat(1), fc.string({ maxLength: 2 }))
        .map(([at, less, more]) => good.slice(0, at) + more + good.slice(at + less)),
    );
    const body = fc.oneof(
      part,
      fc.array(part, { maxLength: 4 }).map((parts) => `[${parts.join()}]`),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(body, { minLength: 1, maxLength: 50 }), async (bodies) => {
        for (const { status } of await ask(bodies)) expect([200, 400, 422]).toContain(status);
      }),
      seeded(60),
    );
  });
});
