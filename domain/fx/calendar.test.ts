import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addDays,
  ageInBusinessDays,
  businessDays,
  carriedForward,
  closedBecause,
  isDay,
  lastBusinessDay,
  lastDayOver,
} from './calendar.js';

const published = readFileSync(new URL('../../data/ecb_fixings.csv', import.meta.url), 'utf8')
  .split('\n')
  .slice(1)
  .filter((line) => line !== '')
  .map((line) => line.slice(0, 10));

describe('the calendar of fixings', () => {
  it('has exactly the days that the ECB published', () => {
    expect(businessDays(published[0]!, published.at(-1)!)).toEqual(published);
  });

  it.each([
    ['2025-06-28', 'weekend'],
    ['2025-06-29', 'weekend'],
    ['2025-01-01', "TARGET holiday, New Year's Day"],
    ['2025-04-18', 'TARGET holiday, Good Friday'],
    ['2025-04-21', 'TARGET holiday, Easter Monday'],
    ['2024-03-29', 'TARGET holiday, Good Friday'],
    ['2011-04-25', 'TARGET holiday, Easter Monday'],
    ['2025-05-01', 'TARGET holiday, Labour Day'],
    ['2025-12-26', 'TARGET holiday, Boxing Day'],
    ['2025-06-09', null],
    ['2025-06-30', null],
  ])('%s: %s', (day, why) => expect(closedBecause(day)).toBe(why));

  it('counts age in business days, the day itself included', () => {
    expect(ageInBusinessDays('2025-06-30', '2025-06-30')).toBe(0);
    expect(ageInBusinessDays('2025-06-27', '2025-06-29')).toBe(0);
    expect(ageInBusinessDays('2025-06-27', '2025-06-30')).toBe(1);
    expect(ageInBusinessDays('2025-04-17', '2025-04-22')).toBe(1);
    expect(ageInBusinessDays('2025-06-30', '2025-06-27')).toBe(0);
  });

  it('says what is carried forward, and why', () => {
    expect(carriedForward('2025-06-30', '2025-06-30')).toEqual([]);
    expect(carriedForward('2025-06-27', '2025-06-30')).toEqual([
      'no fixing on 2025-06-28 (weekend): that of 2025-06-27 is carried forward',
      'no fixing on 2025-06-29 (weekend): that of 2025-06-27 is carried forward',
      'no fixing on 2025-06-30 (a business day: not published yet): that of 2025-06-27 is carried forward',
    ]);
    expect(carriedForward('2025-06-20', '2025-06-30')).toEqual([
      'no fixing since 2025-06-20: it is carried forward to 2025-06-30, over 6 business days',
    ]);
    expect(carriedForward('2025-04-17', '2025-04-18')).toEqual([
      'no fixing on 2025-04-18 (TARGET holiday, Good Friday): that of 2025-04-17 is carried forward',
    ]);
  });

  it.each(['2025-02-29', '2025-13-01', '2025-6-1', '', 'today', '2025-06-30T00:00:00Z'])('%j is no day', (text) =>
    expect(isDay(text)).toBe(false),
  );

  it('finds the last business day within a week of any day', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 36_524 }), (offset) => {
        const day = addDays('1999-01-04', offset);
        const last = lastBusinessDay(day);
        expect(closedBecause(last)).toBeNull();
        expect(businessDays(addDays(last, 1), day)).toEqual([]);
        expect(last >= addDays(day, -5)).toBe(true);
      }),
    );
  });
});

it('a day counts as over from midnight on, by UTC', () => {
  expect(lastDayOver('2025-06-30', new Date('2025-06-30T23:59:59Z'))).toBe('2025-06-29');
  expect(lastDayOver('2025-06-30', new Date('2025-07-01T00:00:00Z'))).toBe('2025-06-30');
  expect(lastDayOver('2025-06-12', new Date('2025-07-01T00:00:00Z'))).toBe('2025-06-12');
});
