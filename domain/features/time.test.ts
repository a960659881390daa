import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochMs, utcHour, utcWeekday } from './time.js';

describe('epochMs', () => {
  it.each([
    ['2025-06-28T10:11:12Z', Date.UTC(2025, 5, 28, 10, 11, 12)],
    ['2025-06-28T10:11:12.5+02:00', Date.UTC(2025, 5, 28, 8, 11, 12, 500)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    [new Date(5), 5],
    [7, 7],
  ])('%s', (value, expected) => expect(epochMs(value)).toBe(expected));

  it.each([
    '2025-02-29T00:00:00Z',
    '2025-04-31T00:00:00Z',
    '2025-06-28T10:11:12',
    '2025-06-28',
    '1',
    'June 28 2025',
    '',
    '2025-13-01T00:00:00Z',
    '2025-06-28T25:00:00Z',
    null,
    undefined,
    {},
    NaN,
    Infinity,
    true,
  ])('refuses %j', (value) => expect(epochMs(value)).toBeNaN());
});

describe('hour and weekday', () => {
  it('agree with Date, before and after 1970', () => {
    fc.assert(
      fc.property(
        fc.date({ noInvalidDate: true, min: new Date('1900-01-01'), max: new Date('2100-01-01') }),
        (date) => {
          expect(utcHour(date.getTime())).toBe(date.getUTCHours());
          expect(utcWeekday(date.getTime())).toBe((date.getUTCDay() + 6) % 7);
        },
      ),
    );
  });
});
