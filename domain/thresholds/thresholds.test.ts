import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PerCategoryThresholds } from '../../schemas/types.js';
import { compileDecision } from '../scoring-decision/decide.js';
import { alertsOf } from './alerts.js';
import { backtest } from './backtest.js';
import { compareWithIntervals } from './bootstrap.js';
import { budgetName, calibrate, type CalibrationPolicy } from './calibrate.js';
import { cellsOf, countCells, countsOf } from './cells.js';
import { applyEdits, checkEdits } from './edits.js';
import { figuresOf } from './figures.js';
import { precisionAt } from './precision-at.js';
import { Sfc32 } from './random.js';
import { DECIDER, rankRows, RowCollector, type ScoredRow, type ScoredRows } from './rows.js';

const DAY_MS = 86_400_000;
const policy: CalibrationPolicy = {
  min_rows: 1,
  min_frauds: 1,
  min_category_rows: 1,
  min_category_frauds: 1,
  operating: 'cost',
  cost: { review: 10, missedShare: 1 },
  budgets: [0.25],
};

function rowsOf(list: Partial<ScoredRow>[], segments: string[] = []): ScoredRows {
  const collector = new RowCollector(segments);
  for (const [i, row] of list.entries())
    collector.push({
      probability: 0.5,
      score: row.probability ?? 0.5,
      amount: 100,
      bookedAt: i,
      label: false,
      decider: DECIDER.threshold,
      segment: null,
      ...row,
    });
  return collector.rows();
}
const chosen = (list: Partial<ScoredRow>[], changes: Partial<CalibrationPolicy> = {}) => {
  const rows = rowsOf(list);
  return calibrate(rows, rankRows(rows), { ...policy, ...changes });
};
const fraud = (probability: number, rest: Partial<ScoredRow> = {}) => ({ probability, label: true, ...rest });
const good = (probability: number, rest: Partial<ScoredRow> = {}) => ({ probability, label: false, ...rest });

/** Coarse probabilities, so that ties are common. */
const anyRow = fc.record({
  probability: fc.integer({ min: 0, max: 8 }).map((n) => n / 8),
  amount: fc.integer({ min: 0, max: 50 }),
  label: fc.constantFrom(true, false, false, null),
  segment: fc.constantFrom('a', 'b', null),
  decider: fc.constantFrom(DECIDER.threshold, DECIDER.threshold, DECIDER.rulePasses, DECIDER.ruleAlerts),
});

describe('the decision over columns', () => {
  it('is the scorer’s own, for every row, threshold and category', () => {
    const sets = fc.record({
      threshold: fc.integer({ min: 0, max: 8 }).map((n) => n / 8),
      per_category: fc.dictionary(
        fc.constantFrom('a', 'b', 'c'),
        fc.integer({ min: 0, max: 8 }).map((n) => n / 8),
      ),
    });
    fc.assert(
      fc.property(fc.array(anyRow, { minLength: 1 }), sets, (list, operating) => {
        const rows = rowsOf(list);
        const alerts = alertsOf(rows, operating);
        const decide = compileDecision({
          thresholds: { operating, budgets: {} },
          rules: {
            rules: [
              { name: 'up', feature: 'rule', above: 1.5, decision: 'alert', reason_code: 'UP' },
              { name: 'down', feature: 'rule', above: 0.5, below: 1.5, decision: 'pass', reason_code: 'DOWN' },
            ],
          },
          featureNames: ['rule'],
        });
        for (const [i, { probability, segment, decider }] of list.entries()) {
          const { decision } = decide({ calibrated: probability, segment, values: [decider] });
          expect(alerts[i]).toBe(decision === 'alert' ? 1 : 0);
        }
      }),
    );
  });
});

describe('the choice', () => {
  it('weighs what a missed fraud costs against a review', () => {
    // Worth looking at: 100 saved for 10. Not worth it: the next fraud lies behind eleven good ones.
    const list = [fraud(0.9), ...Array.from({ length: 11 }, () => good(0.6)), fraud(0.5)];
    expect(chosen(list)?.thresholds.operating.threshold).toBe(0.75);
    const cheap = chosen(list, { cost: { review: 1, missedShare: 1 } });
    expect(cheap?.thresholds.operating.threshold).toBe(0.5);
  });

  it('alerts on nothing where no alert is worth its review', () => {
    const dear = { cost: { review: 1000, missedShare: 1 } };
    expect(chosen([fraud(0.9), good(0.1)], dear)?.thresholds.operating.threshold).toBe(1);
  });

  it('finds the best F1', () => {
    const list = [fraud(0.9), fraud(0.8), good(0.7), fraud(0.6), good(0.2), good(0.1)];
    expect(chosen(list, { operating: 'max_f1' })?.thresholds.operating.threshold).toBeCloseTo(0.4, 12);
  });

  it('is never worse than any other threshold, category by category', () => {
    fc.assert(
      fc.property(
        fc.array(anyRow, { minLength: 2, maxLength: 60 }),
        fc.constantFrom('cost', 'max_f1'),
        (list, operating) => {
          const rows = rowsOf(list);
          const found = calibrate(rows, rankRows(rows), { ...policy, operating });
          if (found === null) return;
          const worth = (set: PerCategoryThresholds['operating'], segment: number | null) => {
            const alerts = alertsOf(rows, set);
            const counts = countsOf(countCells(rows, cellsOf(rows, alerts, alerts)), 'new', segment);
            const figures = figuresOf(counts, policy.cost, 1);
            return operating === 'cost' ? figures.saved_per_day : (figures.f1 ?? 0);
          };
          const { threshold, per_category } = found.thresholds.operating;
          for (let rival = 0; rival <= 16; rival++) {
            const at = rival / 16;
            expect(worth({ threshold: at, per_category: {} }, null)).toBeLessThanOrEqual(
              worth({ threshold, per_category: {} }, null) + 1e-9,
            );
            for (const [name, own] of Object.entries(per_category)) {
              const segment = rows.segments.indexOf(name);
              expect(worth({ threshold: at, per_category: {} }, segment)).toBeLessThanOrEqual(
                worth({ threshold: own, per_category: {} }, segment) + 1e-9,
              );
            }
          }
        },
      ),
    );
  });

  it('spends a budget as far as it goes and never further, rows without a label included', () => {
    fc.assert(
      fc.property(fc.array(anyRow, { minLength: 2, maxLength: 60 }), (list) => {
        const rows = rowsOf(list);
        const found = calibrate(rows, rankRows(rows), policy);
        if (found === null) return;
        const set = found.thresholds.budgets['25pct'] as PerCategoryThresholds['operating'];
        const alerts = (threshold: number) =>
          alertsOf(rows, { threshold, per_category: {} }).reduce((sum, one) => sum + one, 0);
        const ruled = list.filter(({ decider }) => decider === DECIDER.ruleAlerts).length;
        const atMost = Math.max(0.25 * rows.count, ruled);
        // Probability 1 alerts whatever the threshold: the schema has none above.
        const forced = list.filter(
          ({ probability, decider }) => decider === DECIDER.threshold && probability === 1,
        ).length;
        if (alerts(set.threshold) > atMost) expect(alerts(set.threshold)).toBe(ruled + forced);
        const lower = list.filter(
          ({ probability, decider }) => decider === DECIDER.threshold && probability < set.threshold,
        );
        const next = Math.max(...lower.map(({ probability }) => probability));
        if (lower.length > 0) expect(alerts(next)).toBeGreaterThan(0.25 * rows.count);
      }),
    );
  });

  it('leaves a small category to the overall threshold, and says why', () => {
    const rows = rowsOf(
      [
        ...Array.from({ length: 20 }, (_, i) => ({ ...(i < 5 ? fraud(0.9) : good(0.1)), segment: 'large' })),
        { ...fraud(0.2), segment: 'few rows' },
        ...Array.from({ length: 20 }, () => ({ ...good(0.3), segment: 'no frauds' })),
      ],
      ['gone'],
    );
    const found = calibrate(rows, rankRows(rows), { ...policy, min_category_rows: 10, min_category_frauds: 5 });
    expect(Object.keys(found?.thresholds.operating.per_category ?? {})).toEqual(['large']);
    expect(found?.fallbacks).toEqual({
      gone: '0 labelled rows, fewer than 10',
      'few rows': '1 labelled rows, fewer than 10',
      'no frauds': '0 frauds, fewer than 5',
    });
  });

  it('makes no proposal of too little: no data is never a pass', () => {
    expect(chosen([])).toBeNull();
    expect(chosen([fraud(0.9), good(0.1)], { min_rows: 3 })).toBeNull();
    expect(chosen([good(0.9), good(0.1)])).toBeNull();
    expect(chosen([{ label: null }, fraud(0.5)], { min_rows: 2 })).toBeNull();
  });

  it('names budgets as training does', () => {
    expect([0.005, 0.01, 0.07, 0.025].map(budgetName)).toEqual(['0.5pct', '1pct', '7pct', '2.5pct']);
  });
});

describe('figures', () => {
  const list = [fraud(0.9), good(0.8), fraud(0.3, { amount: 40 }), good(0.1), { probability: 0.7, label: null }];
  const rows = rowsOf(list);
  const alerts = (threshold: number) => alertsOf(rows, { threshold, per_category: {} });
  const cells = countCells(rows, cellsOf(rows, alerts(0.5), alerts(0.95)));

  it('count labelled rows for what needs a label, and all rows for alerts a day', () => {
    expect(figuresOf(countsOf(cells, 'old', null), { review: 10, missedShare: 0.5 }, 2)).toEqual({
      precision: 1 / 2,
      recall: 1 / 2,
      f1: 2 / 4,
      alerts_per_day: 3 / 2,
      saved_per_day: (100 * 0.5 - 2 * 10) / 2,
      missed_per_day: (40 * 0.5) / 2,
    });
  });

  it('are null where there is nothing to say, not 0', () => {
    expect(figuresOf(countsOf(cells, 'new', null), policy.cost, 1)).toMatchObject({ precision: null, recall: 0 });
    const none = rowsOf([good(0.4)]);
    const quiet = countCells(none, cellsOf(none, new Uint8Array(1), new Uint8Array(1)));
    expect(figuresOf(countsOf(quiet, 'new', null), policy.cost, 1)).toMatchObject({ recall: null, f1: null });
  });

  it('precision at k rounds up to whole labelled rows and breaks ties by booking', () => {
    const ranked = rowsOf([good(0.5), fraud(0.5), fraud(0.4), { probability: 0.9, label: null }]);
    expect(precisionAt(ranked, rankRows(ranked), [0.3, 0.5, 1])).toEqual([[0, 1 / 2, 2 / 3]]);
  });
});

describe('bootstrap', () => {
  const source = new Sfc32(7);
  const random = (): number => source.next();
  const list = Array.from({ length: 4000 }, () => {
    const label = random() % 20 === 0;
    return { probability: Math.min(1, (random() / 2 ** 32) * 0.8 + (label ? 0.2 : 0)), label, amount: random() % 500 };
  });
  const rows = rowsOf(list);
  const at = (threshold: number) => alertsOf(rows, { threshold, per_category: {} });
  const run = (seed: number, rounds = 200, confidence = 0.95) => {
    const cellOf = cellsOf(rows, at(0.7), at(0.6));
    const turns = { rounds, confidence, seed };
    return compareWithIntervals(rows, cellOf, countCells(rows, cellOf), policy.cost, 10, turns, () =>
      Promise.resolve(),
    );
  };

  it('is the same for the same seed, and another for another', async () => {
    expect(await run(1, 20)).toEqual(await run(1, 20));
    expect(await run(2, 20)).not.toEqual(await run(1, 20));
  });

  it('agrees with the normal approximation of a proportion, and holds the observed figure', async () => {
    const [all] = await run(1, 1000);
    const { value, low, high } = all!.old.precision;
    const alerts = countsOf(countCells(rows, cellsOf(rows, at(0.7), at(0.7))), 'old', null).labelledAlerts;
    const half = 1.96 * Math.sqrt((value! * (1 - value!)) / alerts);
    expect((high! - low!) / 2).toBeGreaterThan(half * 0.85);
    expect((high! - low!) / 2).toBeLessThan(half * 1.15);
    for (const one of [all!.old.recall, all!.new.saved_per_day, all!.gain_per_day]) {
      expect(one.low).toBeLessThan(one.value!);
      expect(one.high).toBeGreaterThan(one.value!);
    }
  });
});

describe('backtest', () => {
  it('takes whole weeks from the end, and for the walk forward only rows booked before each', () => {
    const from = Date.UTC(2025, 0, 1);
    const to = from + 30 * DAY_MS;
    // The fraudster moves in the last week: only thresholds that have seen that week can follow.
    const list = Array.from({ length: 30 * 4 }, (_, i) => {
      const day = Math.floor(i / 4);
      const bad = i % 4 === 0;
      return { probability: bad ? (day >= 23 ? 0.4 : 0.8) : 0.2, label: bad, bookedAt: from + day * DAY_MS + i };
    });
    const rows = rowsOf(list);
    const order = rankRows(rows);
    const proposed = calibrate(rows, order, policy)!.thresholds.operating;
    const old = { threshold: 0.9, per_category: {} };
    const weeks = backtest(rows, order, { old, proposed }, { ...policy, min_rows: 40 }, { from, to, weeks: 8 });
    expect(weeks.map((week) => week.from.slice(0, 10))).toEqual([
      '2025-01-03',
      '2025-01-10',
      '2025-01-17',
      '2025-01-24',
    ]);
    expect(weeks.map((week) => [week.rows, week.frauds])).toEqual([
      [28, 7],
      [28, 7],
      [28, 7],
      [28, 7],
    ]);
    expect(weeks.map((week) => week.walk_forward?.recall ?? null)).toEqual(
      [null, null, 1, 0].map((x, i) => (i === 1 ? null : x)),
    );
    expect(weeks.map((week) => week.new.recall)).toEqual([1, 1, 1, 1]);
    expect(weeks.every((week) => week.old.alerts_per_day === 0 && week.old.saved_per_day === 0)).toBe(true);
  });
});

describe('edits', () => {
  const categories = ['cash', 'transfer'];
  it.each<[Record<string, unknown>, RegExp | null]>([
    [{ threshold: 0.5 }, null],
    [{ per_category: { cash: 0, transfer: null } }, null],
    [{}, /change nothing/],
    [{ treshold: 0.5 }, /^\/treshold is not known/],
    [{ threshold: 1.01 }, /^\/threshold must be/],
    [{ threshold: '0.5' }, /^\/threshold must be/],
    [{ threshold: NaN }, /^\/threshold must be/],
    [{ threshold: null }, /^\/threshold must be/],
    [{ per_category: { cash: -0.1 } }, /^\/per_category\/cash must be/],
    [{ per_category: { cash: Infinity } }, /^\/per_category\/cash must be/],
    [{ per_category: { gold: 0.5 } }, /^\/per_category\/gold is no category of this model: cash, transfer/],
    [{ per_category: JSON.parse('{"__proto__": 0.5}') as unknown }, /__proto__ is no category/],
    [{ per_category: {} }, /not empty/],
    [{ per_category: [0.5] }, /must be an object/],
  ])('%j', (edits, problem) => {
    if (problem === null) expect(checkEdits(edits, categories)).toBeNull();
    else expect(checkEdits(edits, categories)).toMatch(problem);
  });

  it('replace operating thresholds, take one away with null, and leave the budgets', () => {
    const budgets = { '1pct': { threshold: 0.9, per_category: {} } };
    const proposed = { operating: { threshold: 0.5, per_category: { cash: 0.4, transfer: 0.3 } }, budgets };
    expect(applyEdits(proposed, { per_category: { cash: null, transfer: 0.35 } })).toEqual({
      operating: { threshold: 0.5, per_category: { transfer: 0.35 } },
      budgets,
    });
    expect(applyEdits(proposed, { threshold: 0.6 }).operating).toEqual({
      threshold: 0.6,
      per_category: { cash: 0.4, transfer: 0.3 },
    });
  });
});

it('random numbers spread evenly', () => {
  const source = new Sfc32(1);
  const random = (): number => source.next();
  const counts = new Array<number>(16).fill(0);
  for (let i = 0; i < 160_000; i++) counts[random() >>> 28]!++;
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});
