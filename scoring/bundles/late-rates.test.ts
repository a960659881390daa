import { describe, expect, it } from 'vitest';
import type { FeatureRegistry } from '../../schemas/types.js';
import { lateRatesNotice } from './late-rates.js';

const registry = {
  derived: [{ name: 'base', op: { kind: 'convert', amount: 'amount', currency: 'currency', at: 'booked_at' } }],
} as unknown as Pick<FeatureRegistry, 'derived'>;
const notice = lateRatesNotice(registry, { fixing_date: '2025-06-19' });
const of = (bookedAt: unknown) => notice({ booked_at: bookedAt });

describe('the notice of late rates', () => {
  it.each([
    '2024-01-01T00:00:00Z',
    '2025-06-19T23:59:59Z',
    '2025-06-26T23:59:59.999Z',
    '2025-06-27T05:00:00+08:00',
    Date.parse('2025-06-26T10:00:00Z'),
  ])('is not there for %s, a week after the fixing at most', (at) => expect(of(at)).toEqual([]));

  it.each([
    ['2025-06-27T00:00:00Z', 8],
    ['2025-06-26T20:00:00-05:00', 8],
    ['2025-07-19T12:00:00Z', 30],
    [Date.parse('2025-06-27T00:00:00Z'), 8],
  ])('is there for %s, %i days after it', (at, days) => {
    expect(of(at)).toEqual([
      { path: '/booked_at', message: expect.stringContaining(`is ${days} days after the newest`) as string },
    ]);
  });

  it('needs rates, and a conversion', () => {
    expect(lateRatesNotice(registry, null)({ booked_at: '2030-01-01T00:00:00Z' })).toEqual([]);
    expect(lateRatesNotice({ derived: [] }, { fixing_date: '2025-06-19' })({})).toEqual([]);
  });
});
