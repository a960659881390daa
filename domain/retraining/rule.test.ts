import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actionFor, coolDownEnd, daysWithDrift, inCoolDown, type JudgedDay } from './rule.js';

const day = (date: string, verdict: JudgedDay['verdict'] = 'drift'): JudgedDay => ({
  asOf: date.length === 10 ? `${date}T00:00:00.000Z` : date,
  verdict,
});
const AS_OF = '2025-06-30T00:00:00.000Z';

describe('days with drift', () => {
  it('counts calendar days among the last n, today counted, each once', () => {
    const days = [
      day('2025-06-30'),
      day('2025-06-29'),
      day('2025-06-29T13:00:00.000Z'),
      day('2025-06-28', 'none'),
      day('2025-06-27', 'inconclusive'),
      day('2025-06-26'),
      day('2025-06-25'),
    ];
    expect(daysWithDrift(days, AS_OF, 5)).toBe(3);
    expect(daysWithDrift(days, AS_OF, 6)).toBe(4);
    expect(daysWithDrift(days, AS_OF, 1)).toBe(1);
  });

  it('ignores later days, so that a backfill judges a day by what was known of it', () => {
    expect(daysWithDrift([day('2025-07-01'), day('2025-06-30')], AS_OF, 5)).toBe(1);
  });

  it('is never more than n', () => {
    const dates = fc.date({ min: new Date('2025-05-01'), max: new Date('2025-07-31'), noInvalidDate: true });
    fc.assert(
      fc.property(fc.array(dates), fc.integer({ min: 1, max: 30 }), (at, of) => {
        const days = at.map((date) => day(date.toISOString()));
        expect(daysWithDrift(days, AS_OF, of)).toBeLessThanOrEqual(of);
      }),
    );
  });
});

describe('the action', () => {
  it.each([
    ['none', 3, ['score'], 'none'],
    ['warn', 3, ['score'], 'none'],
    ['inconclusive', 3, ['score'], 'alert'],
    ['drift', 2, ['score'], 'alert'],
    ['drift', 3, [], 'alert'],
    ['drift', 3, ['recall'], 'retrain'],
    ['drift', 4, ['alert_rate', 'score'], 'retrain'],
  ] as const)('%s on %i days with pressure by %j: %s', (verdict, days, pressures, action) => {
    expect(actionFor(verdict, { daysWithDrift: days, pressures, isStale: false }, { days: 3 })).toBe(action);
  });
});

it('data that has stopped coming is told, and retrains nothing by itself', () => {
  const observed = { daysWithDrift: 5, pressures: ['alert_rate'], isStale: true };
  expect(actionFor('none', observed, { days: 3 })).toBe('alert');
  expect(actionFor('warn', observed, { days: 3 })).toBe('alert');
});

describe('the cool-down', () => {
  it('ends at the same time of day, that instant excluded', () => {
    expect(coolDownEnd(AS_OF, 14)).toBe('2025-07-14T00:00:00.000Z');
    expect(inCoolDown('2025-07-13T23:59:59.999Z', AS_OF, 14)).toBe(true);
    expect(inCoolDown('2025-07-14T00:00:00.000Z', AS_OF, 14)).toBe(false);
  });
  it('covers the days before it too', () => {
    expect(inCoolDown('2025-01-01T00:00:00.000Z', AS_OF, 14)).toBe(true);
  });
  it('of no days holds nothing back but the past', () => {
    expect(inCoolDown(AS_OF, AS_OF, 0)).toBe(false);
    expect(inCoolDown('2025-06-29T00:00:00.000Z', AS_OF, 0)).toBe(true);
  });
});
