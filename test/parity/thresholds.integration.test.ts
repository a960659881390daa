import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { calibrate, type CalibrationPolicy } from '../../domain/thresholds/calibrate.js';
import { propose } from '../../domain/thresholds/propose.js';
import { Sfc32 } from '../../domain/thresholds/random.js';
import { rankRows, RowCollector } from '../../domain/thresholds/rows.js';
import { projectPath } from '../../platform/project.js';
import { validate } from '../../platform/validate.js';
import type { PerCategoryThresholds, ThresholdEstimates, ThresholdFigures } from '../../schemas/types.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';

const DAY_MS = 86_400_000;
const FROM = Date.UTC(2025, 2, 2);
const DAYS = 90;
const TO = FROM + DAYS * DAY_MS;
const SEGMENTS = ['cash', 'online', 'rare', 'transfer'];
const ROWS = 12_000;

let python: SharedServers;
let work: string;
beforeAll(async () => {
  python = await useServers(['python']);
  work = await mkdtemp(join(tmpdir(), 'sluice-thresholds-'));
});
afterAll(() => rm(work, { recursive: true, force: true }));

interface Reference {
  thresholds: {
    overall: number;
    own: Record<string, number>;
    budgets: Record<string, Record<string, number>>;
    budget_overall: Record<string, number>;
  };
  old: ThresholdFigures;
  new: ThresholdFigures;
  segments: Record<string, { old: ThresholdFigures; new: ThresholdFigures }>;
  precision_at: Record<string, number>;
  weeks: { old: ThresholdFigures; new: ThresholdFigures; walk_forward: ThresholdFigures | null }[];
}

const policy: CalibrationPolicy & {
  bootstrap: { rounds: number; confidence: number; seed: number };
  backtestWeeks: number;
} = {
  min_rows: 2000,
  min_frauds: 50,
  min_category_rows: 500,
  min_category_frauds: 20,
  operating: 'cost',
  cost: { review: 2.5, missedShare: 0.9 },
  budgets: [0.005, 0.01, 0.05],
  bootstrap: { rounds: 20, confidence: 0.95, seed: 1 },
  backtestWeeks: 12,
};
const old: PerCategoryThresholds = { operating: { threshold: 0.6, per_category: { cash: 0.4 } }, budgets: {} };

it('a proposal is what numpy finds by trying every cut: thresholds, figures, weeks', async () => {
  const source = new Sfc32(20250630);
  const random = (): number => source.next();
  const unit = (): number => random() / 2 ** 32;
  const columns = {
    probability: [],
    score: [],
    amount: [],
    booked_at: [],
    label: [],
    segment: [],
    decider: [],
  } as Record<string, number[]>;
  const collector = new RowCollector(SEGMENTS);
  for (let i = 0; i < ROWS; i++) {
    const fraud = unit() < 0.03;
    const segment = unit() < 0.02 ? 2 : [0, 1, 3, -1][Math.floor(unit() * 4)]!;
    const score = fraud ? 1 - unit() ** 2 * 0.8 : unit() ** 3;
    // Steps as an isotonic map makes them: many rows share one probability.
    const probability = Math.round(score * 400) / 400;
    const one = {
      probability,
      score,
      amount: Math.round(unit() * 40_000) / 100,
      bookedAt: FROM + Math.floor((i / ROWS) * DAYS * DAY_MS),
      label: unit() < 0.05 ? null : fraud,
      decider: unit() < 0.01 ? (unit() < 0.5 ? 1 : 2) : 0,
      segment: segment < 0 ? null : SEGMENTS[segment]!,
    };
    collector.push(one);
    const row = { ...one, booked_at: one.bookedAt, segment, label: one.label === null ? 2 : Number(one.label) };
    for (const [name, column] of Object.entries(columns)) column.push(row[name as keyof typeof row]);
  }
  const rows = collector.rows();
  const order = rankRows(rows);
  const found = calibrate(rows, order, policy)!;
  const proposal = await propose(
    rows,
    order,
    {
      model: 'm',
      key: '2025-06-30',
      as_of: '2025-06-30T00:00:00.000Z',
      environment: 'production',
      model_version: '1',
      base: { version: 'v', manifest_sha256: 'a'.repeat(64), thresholds_sha256: 'b'.repeat(64) },
      costs: { currency: 'USD', review: 2.5, missed_fraud: { feature: 'amount', share: 0.9 } },
      window: { from: new Date(FROM).toISOString(), to: new Date(TO).toISOString() },
      refused: 0,
      edited: false,
    },
    { old, proposed: found.thresholds, fallbacks: found.fallbacks },
    policy,
    () => Promise.resolve(),
  );
  validate('threshold-proposal', proposal);

  const input = join(work, 'input.json');
  await writeFile(
    input,
    JSON.stringify({
      columns,
      old: { overall: 0.6, own: { 0: 0.4 } },
      policy: {
        min_rows: policy.min_rows,
        min_frauds: policy.min_frauds,
        min_category_rows: policy.min_category_rows,
        min_category_frauds: policy.min_category_frauds,
        review: policy.cost.review,
        missed_share: policy.cost.missedShare,
        budgets: policy.budgets,
        from: FROM,
        to: TO,
        weeks: policy.backtestWeeks,
      },
    }),
  );
  const { stdout } = await execa(python.env['SLUICE_PYTHON'] as string, [
    projectPath('test', 'parity', 'thresholds_numpy.py'),
    input,
  ]);
  const reference = JSON.parse(stdout) as Reference;

  const named = (own: Record<string, number>) =>
    Object.fromEntries(Object.entries(own).map(([s, threshold]) => [SEGMENTS[Number(s)], threshold]));
  expect(proposal.new.operating).toEqual({
    threshold: reference.thresholds.overall,
    per_category: named(reference.thresholds.own),
  });
  expect(Object.keys(proposal.new.operating.per_category)).toEqual(['cash', 'online', 'transfer']);
  for (const { name, share, new: spent } of proposal.budgets) {
    expect(spent?.threshold, name).toBe(reference.thresholds.budget_overall[String(share)]);
    expect(proposal.new.budgets[name]?.per_category).toEqual(named(reference.thresholds.budgets[String(share)]!));
    expect(proposal.overall.precision_at[name]).toBeCloseTo(reference.precision_at[String(share)]!, 12);
  }
  const same = (ours: ThresholdFigures, theirs: ThresholdFigures, what: string) => {
    for (const name of Object.keys(theirs) as (keyof ThresholdFigures)[]) {
      const [a, b] = [ours[name], theirs[name]];
      if (b === null) expect(a, `${what} ${name}`).toBeNull();
      else expect(Math.abs((a as number) - b), `${what} ${name}`).toBeLessThan(1e-9 * Math.max(1, Math.abs(b)));
    }
  };
  const values = (estimates: ThresholdEstimates) =>
    Object.fromEntries(
      Object.entries(estimates).map(([name, { value }]) => [name, value]),
    ) as unknown as ThresholdFigures;
  same(values(proposal.overall.old), reference.old, 'old');
  same(values(proposal.overall.new), reference.new, 'new');
  expect(proposal.categories).toHaveLength(SEGMENTS.length);
  for (const group of proposal.categories) {
    const theirs = reference.segments[SEGMENTS.indexOf(group.category!)]!;
    same(values(group.old), theirs.old, `${group.category} old`);
    same(values(group.new), theirs.new, `${group.category} new`);
  }
  expect(proposal.backtest.weeks).toHaveLength(12);
  for (const [i, week] of proposal.backtest.weeks.entries()) {
    same(week.old, reference.weeks[i]!.old, `week ${i} old`);
    same(week.new, reference.weeks[i]!.new, `week ${i} new`);
    const walked = reference.weeks[i]!.walk_forward;
    if (walked === null) expect(week.walk_forward).toBeNull();
    else same(week.walk_forward!, walked, `week ${i} walk forward`);
  }
  expect(proposal.backtest.weeks.filter(({ walk_forward }) => walk_forward === null).length).toBeGreaterThan(0);
  expect(proposal.backtest.weeks.filter(({ walk_forward }) => walk_forward !== null).length).toBeGreaterThan(8);
}, 120_000);
