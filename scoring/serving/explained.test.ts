import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyApp, type TinyApp } from '../../test/support/tiny-app.js';
import { openTiny } from '../../test/support/live-tiny-bundle.js';
import { sendTo } from '../../test/support/send.js';
import { tinyTransaction } from '../../test/support/tiny-bundle.js';
import type { ApiError, ScoreResponse } from './api-schemas.js';
import { createSetFacts } from './set-facts.js';
import { createExplainedForm, MAX_EXPLAINED } from './explained.js';

const rows = [0, 1, 5, 60, 800].map((amount, hour) => ({
  ...tinyTransaction,
  transaction_id: `e-${amount}`,
  amount,
  booked_at: `2025-06-20T${String(7 + hour).padStart(2, '0')}:00:00Z`,
}));

let told: TinyApp;
let app: FastifyInstance;
const score = (body: unknown, query: string, to = app) => sendTo(to, JSON.stringify(body), {}, `/v1/score${query}`);

beforeAll(async () => {
  told = await tinyApp({ model: 'counted' });
  ({ app } = told);
});
afterAll(() => told.close());

describe('POST /v1/score?explain=true', () => {
  it('takes every score apart: base value and contributions are its log-odds', async () => {
    const response = await score(rows, '?explain=true');
    expect(response.statusCode).toBe(200);
    const { results } = response.json<ScoreResponse>();
    expect(new Set(results.map(({ score: one }) => one)).size).toBeGreaterThan(2);
    for (const { score: one, explanation } of results) {
      const { margin = NaN, base_value: base = NaN, contributions = [] } = explanation ?? {};
      const sum = contributions.reduce((total, { contribution }) => total + contribution, base);
      expect(Math.abs(sum - margin)).toBeLessThan(1e-9);
      expect(Math.abs(margin - Math.log(one / (1 - one)))).toBeLessThan(1e-5);
      expect(contributions.map(({ feature }) => feature).sort()).toEqual(
        ['amount_z', 'hour', 'kind_index', 'log_amount', 'merchant_freq', 'weekday'].sort(),
      );
      const sizes = contributions.map(({ contribution }) => Math.abs(contribution));
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    }
    expect(results[4]?.explanation?.contributions.find(({ feature }) => feature === 'hour')?.value).toBe(11);
  });

  it('answers everything else as without it', async () => {
    const [plain, off, explained] = await Promise.all(
      ['', '?explain=false', '?explain=true'].map(async (query) =>
        (await score(rows, query)).json<ScoreResponse>().results.map(({ explanation: _, ...rest }) => rest),
      ),
    );
    expect(explained).toEqual(plain);
    expect(off).toEqual(plain);
    expect((await score(rows[0], '?explain=false')).json<ScoreResponse>().results[0]).not.toHaveProperty('explanation');
  });

  it.each([
    ['?explain=yes', 'explain is true or false, not "yes"'],
    ['?explain=', 'explain is true or false'],
    ['?explain=true&explain=true', 'explain is true or false'],
    ['?explained=true', 'parameter "explained" is not known'],
    ['?__proto__=1&explain=true', 'is not known'],
  ])('refuses %s', async (query, message) => {
    const response = await score(rows[0], query);
    expect(response.statusCode).toBe(400);
    expect(response.json<ApiError>().error).toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining(message) as string,
    });
  });

  it('explains so many at once, and says so of more', async () => {
    const many = (count: number) => Array.from({ length: count }, () => tinyTransaction);
    expect((await score(many(MAX_EXPLAINED), '?explain=true')).statusCode).toBe(200);
    const response = await score(many(MAX_EXPLAINED + 1), '?explain=true');
    expect(response.statusCode).toBe(400);
    expect(response.json<ApiError>().error.message).toContain('21 transactions; at most 20 can be explained');
  });

  it('refuses where the model has no counts, and records nothing', async () => {
    const old = await tinyApp({});
    const response = await score(rows, '?explain=true', old.app);
    expect(response.statusCode).toBe(409);
    expect(response.json<ApiError>().error).toMatchObject({
      type: 'Conflict',
      message: expect.stringMatching(/how many training rows .* release the model again$/) as string,
    });
    expect(old.offered).toEqual([]);
    expect((await score(rows, '', old.app)).statusCode).toBe(200);
    expect(old.offered.map(({ rows: count }) => count)).toEqual([rows.length]);
    await old.close();
  });

  it('refuses where ONNX Runtime runs the models, and says why it does', async () => {
    const slow = await tinyApp({ model: 'counted' }, () => Promise.resolve({ refused: 'a test' }));
    const response = await score(rows[0], '?explain=true', slow.app);
    expect(response.statusCode).toBe(409);
    expect(response.json<ApiError>().error.message).toMatch(/ONNX Runtime, which explains no score \(a test\)/);
    await slow.close();
  });
});

describe('explanations that many ask for', () => {
  it('are made one in a turn of the event loop, and refused where too many wait', async () => {
    const set = await openTiny({ model: 'counted' });
    const turns: number[] = [];
    let turn = 0;
    let over = false;
    const count = (): void => {
      turn += 1;
      if (!over) setImmediate(count);
    };
    setImmediate(count);
    const champion = {
      ...set.champion,
      models: {
        ...set.champion.models,
        explain: (...parts: Parameters<typeof set.champion.models.explain>) => {
          turns.push(turn);
          return set.champion.models.explain(...parts);
        },
      },
    };
    const transactions = Array.from({ length: MAX_EXPLAINED }, () => tinyTransaction);
    const scored = await set.champion.score(transactions, () => '');
    const form = createExplainedForm();
    const facts = createSetFacts({ thresholds: () => ({ hit: () => undefined }) })(set);
    const ask = async () =>
      form.write(
        { id: 'r', headers: {} },
        { transactions, pathOf: () => '', bytes: new Uint8Array() },
        scored,
        { ...set, champion },
        facts,
      );
    const outcomes = await Promise.allSettled(Array.from({ length: 11 }, ask));
    over = true;
    expect(outcomes.map(({ status }) => status)).toEqual([...Array<string>(10).fill('fulfilled'), 'rejected']);
    expect(turns).toHaveLength(10 * MAX_EXPLAINED);
    expect(new Set(turns).size).toBe(turns.length);
    await expect(ask()).resolves.toContain('"explanation"');
    await set.champion.close();
  });
});
