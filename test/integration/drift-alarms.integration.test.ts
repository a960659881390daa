import { beforeAll, describe, expect, it } from 'vitest';
import { dayOf } from '../../domain/drift/calendar.js';
import type { DriftPolicy } from '../../domain/drift/types.js';
import { demoRows, type DemoRows } from '../support/demo-features.js';
import { CHANGES, changed, type Change } from '../support/drift-changes.js';
import {
  DriftWorld,
  judgeDays,
  retrainings,
  type JudgedWindow,
  type ScoreWorld,
  type WorldRow,
} from '../support/drift-world.js';

/*
 * The decision rule on the demo's own days after the data that stands for training's, one after the other, each night with lookups rebuilt. The score
 * is a stand-in that moves with the features; `npm run bench:drift` does the same with trained models. It needs no server: it is in this layer
 * because a minute of computing is too long for `npm run test:fast`.
 */

const TRAINED_UNTIL = Date.parse('2025-04-16T00:00:00Z');
const HELD_OUT_FROM = Date.parse('2025-03-16T00:00:00Z');
const FIRST = dayOf(TRAINED_UNTIL);

let demo: DemoRows;
let policy: DriftPolicy;
let rows: WorldRow[];

beforeAll(async () => {
  demo = await demoRows();
  policy = demo.model.spec.drift;
  rows = demo.transactions.map((transaction, row) => ({
    transaction,
    at: demo.bookedAtMs[row] ?? NaN,
    isFraud: demo.labels[row] === 1,
    labeledAt: Date.parse(String(transaction['labeled_at'])),
  }));
}, 60_000);

/** A stand-in for the model: what it scores moves with its features, which is all that the rule needs. */
const score: ScoreWorld = (features) => {
  const names = demo.computer.names;
  const [z, hour] = [names.indexOf('amount_z_iqr_cat'), names.indexOf('hour')];
  const calibrated = Float64Array.from({ length: features.length / names.length }, (_, row) => {
    const at = features[row * names.length + hour] ?? NaN;
    const unusual = Math.min(features[row * names.length + z] ?? NaN, 14);
    return 1 / (1 + Math.exp(6 - 0.4 * unusual - (at >= 22 || at < 4 ? 1.5 : 0)));
  });
  return Promise.resolve({ calibrated, alerts: Uint8Array.from(calibrated, (p) => (p >= 0.3 ? 1 : 0)) });
};

async function judged(change: Change | null, from: number, days: number): Promise<JudgedWindow[]> {
  const world = new DriftWorld(
    demo.model,
    demo.fixings,
    change === null ? rows : changed(rows, change, from * 86_400_000, demo.fixings),
    {
      rows: rows.filter(({ at }) => at < TRAINED_UNTIL),
      heldOutFrom: HELD_OUT_FROM,
      lookups: demo.lookups,
      profile: null,
      metrics: {},
    },
    score,
  );
  return await judgeDays(world, FIRST, FIRST + days - 1, policy);
}

describe('the decision rule on the demo', { timeout: 300_000 }, () => {
  it('calls at most 5 % of 20 real days drift, and retrains for none of them', async () => {
    const days = await judged(null, FIRST, 20);
    const drifted = days.filter(({ report }) => report.verdict === 'drift');
    const why = drifted.map(({ asOf, report }) => [asOf, report.why]);
    expect(drifted.length, JSON.stringify(why)).toBeLessThanOrEqual(days.length * 0.05);
    expect(retrainings(days, policy)).toEqual([]);
  });

  it.each(CHANGES.filter((change) => change !== 'moved fraud'))('finds %s within three days', async (change) => {
    const from = FIRST + 2;
    const days = await judged(change, from, 5);
    const found = days.find(({ report }) => report.verdict === 'drift');
    expect(dayOf(Date.parse(found?.asOf ?? '')) - from).toBeGreaterThan(0);
    expect(dayOf(Date.parse(found?.asOf ?? '')) - from).toBeLessThanOrEqual(3);
  });
});
