import { expect, it } from 'vitest';
import type { FeatureRegistry } from '../../../schemas/types.js';
import { equalParts, partsByFixing, type Part } from './window-parts.js';

const DAY_MS = 86_400_000;
const FEW = 10;
const at = (text: string): number => Date.parse(text);
const shown = (parts: readonly Part[]): string[] =>
  parts.map(({ fromMs, toMs }) => [fromMs, toMs].map((ms) => new Date(ms).toISOString().slice(5, 16)).join(' '));

it('equal parts cover the window once, more of them where there are more rows', () => {
  const window = { fromMs: 7, toMs: 1_000_003 };
  expect(equalParts(window, 5_000_000)).toHaveLength(50);
  const parts = equalParts(window, FEW);
  expect([parts[0]?.fromMs, parts[parts.length - 1]?.toMs]).toEqual([window.fromMs, window.toMs]);
  expect(parts.slice(1).map(({ fromMs }) => fromMs)).toEqual(parts.slice(0, -1).map(({ toMs }) => toMs));
});

const convert = (lookup: string): FeatureRegistry['derived'][number] => ({
  name: `by ${lookup}`,
  logic: '',
  op: { kind: 'convert', amount: 'sum', currency: 'unit', at: 'when', lookup, before_oldest: 'oldest' },
  null_policy: { on_null: 'keep' },
});
/** rates of some days in June 2025, of which the 13th is a Friday */
function rates(...days: number[]) {
  const fixings = days.map((day) => ({ date: `2025-06-${String(day).padStart(2, '0')}`, exchange_rates: { USD: 1 } }));
  const [newest, ...trailing] = fixings.reverse();
  return { base_currency: 'USD', last_updated: '', fixing_date: newest?.date, exchange_rates: {}, trailing };
}

it('days without a fixing of their own go together, whole', () => {
  const window = { fromMs: at('2025-06-12T06:00Z'), toMs: at('2025-06-18T06:00Z') };
  // Friday's fixing serves Saturday, Sunday and Monday.
  expect(shown(partsByFixing(window, FEW, [convert('ecb')], { ecb: rates(11, 12, 13, 16, 17) }))).toEqual([
    '06-12T06:00 06-13T00:00',
    '06-13T00:00 06-14T00:00',
    '06-14T00:00 06-17T00:00',
    '06-17T00:00 06-18T00:00',
    '06-18T00:00 06-18T06:00',
  ]);
});

it('one source’s new fixing parts them, also where another has none', () => {
  const window = { fromMs: at('2025-06-14T00:00Z'), toMs: at('2025-06-17T00:00Z') };
  const lookups = { ecb: rates(12, 13), other: rates(12, 14) };
  expect(shown(partsByFixing(window, FEW, [convert('ecb'), convert('other')], lookups))).toEqual([
    '06-14T00:00 06-15T00:00',
    '06-15T00:00 06-17T00:00',
  ]);
});

it('are as many rows as fit, shares of a day where it has more', () => {
  const window = { fromMs: at('2025-06-14T00:00Z'), toMs: at('2025-06-18T00:00Z') };
  const partsOf = (rows: number): Part[] => partsByFixing(window, rows, [convert('ecb')], { ecb: rates(13) });
  const daysOf = (rows: number): number[] => partsOf(rows).map(({ fromMs, toMs }) => (toMs - fromMs) / DAY_MS);
  expect(daysOf(0)).toEqual([4]);
  expect(daysOf(1_000)).toEqual([4]);
  expect(daysOf(60_000)).toEqual([2, 2]);
  expect(daysOf(120_000)).toEqual([1, 1, 1, 1]);
  expect(daysOf(130_000)).toEqual(Array(8).fill(0.5));
  expect(partsOf(10_000_000)).toHaveLength(4 * 84);
});

it('shares of days cover the window once and keep to midnight', () => {
  const window = { fromMs: at('2025-06-14T06:07:08.009Z'), toMs: at('2025-06-17T21:00Z') };
  const parts = partsByFixing(window, 2_345_678, [convert('ecb')], { ecb: rates(13) });
  expect([parts[0]?.fromMs, parts[parts.length - 1]?.toMs]).toEqual([window.fromMs, window.toMs]);
  expect(parts.slice(1).map(({ fromMs }) => fromMs)).toEqual(parts.slice(0, -1).map(({ toMs }) => toMs));
  for (const { fromMs, toMs } of parts) expect(Math.floor((toMs - 1) / DAY_MS)).toBe(Math.floor(fromMs / DAY_MS));
});
