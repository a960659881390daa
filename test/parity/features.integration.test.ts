import { createReadStream, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { execa } from 'execa';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compileFeatures } from '../../domain/features/compile.js';
import { buildFxRates, type Fixing } from '../../domain/lookups/fixings.js';
import { normaliseText } from '../../domain/lookups/normalise.js';
import { FrequencyBuilder } from '../../domain/lookups/frequency.js';
import { RobustStatsBuilder } from '../../domain/lookups/robust-stats.js';
import { loadModel } from '../../platform/models.js';
import { projectPath } from '../../platform/project.js';
import type { CategoryStats, MerchantFreqMap } from '../../schemas/types.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';

const AS_OF = '2025-06-30T00:00:00.000Z';
const TRANSACTIONS = projectPath('data', 'bank_transactions_demo.csv.gz');
const FIXINGS = projectPath('data', 'ecb_fixings.csv');
const DAY_MS = 86_400_000;

let python: SharedServers;
let work: string;

beforeAll(async () => {
  python = await useServers(['python']);
  work = await mkdtemp(join(tmpdir(), 'sluice-parity-'));
});
afterAll(() => rm(work, { recursive: true, force: true }));

interface PandasLookups {
  total: number;
  frequencies: Record<string, number>;
  overall: CategoryStats['overall'];
  categories: CategoryStats['categories'];
}

/** A CSV file's rows as records of text. */
async function csvRows(stream: NodeJS.ReadableStream): Promise<Record<string, string>[]> {
  const rows: Record<string, string>[] = [];
  for await (const row of stream.pipe(parse({ columns: true }))) rows.push(row as Record<string, string>);
  return rows;
}

async function ecbFixings(): Promise<Fixing[]> {
  return (await csvRows(createReadStream(FIXINGS))).map(({ Date: day, ...rates }) => ({
    _id: day!,
    base: 'EUR',
    rates: Object.fromEntries(Object.entries(rates).map(([currency, rate]) => [currency, Number(rate)])),
  }));
}

it('features and lookups of the demo data are what pandas computes, in every row', async () => {
  const [table, lookupsFile] = [join(work, 'table.parquet'), join(work, 'lookups.json')];
  const script = projectPath('test', 'parity', 'features_pandas.py');
  const synonyms = projectPath('models', 'ulb_gbdt', 'operation_type_synonyms.json');
  const files = ['--transactions', TRANSACTIONS, '--fixings', FIXINGS, '--synonyms', synonyms];
  const made = ['--as-of', AS_OF, '--out', table, '--lookups', lookupsFile];
  await execa(python.env['SLUICE_PYTHON']!, [script, ...files, ...made]);
  const pandas = JSON.parse(readFileSync(lookupsFile, 'utf8')) as PandasLookups;
  const expected = await parquetReadObjects({ file: await asyncBufferFromFile(table) });

  const { spec, registry, staticLookups } = await loadModel(projectPath('models'), 'ulb_gbdt');
  const ready = {
    operation_type_synonyms: staticLookups['operation_type_synonyms']!.document,
    fx_rates: buildFxRates(await ecbFixings(), { baseCurrency: spec.base_currency, asOf: AS_OF, trailingDays: 365 }),
  };
  const raw = await csvRows(createReadStream(TRANSACTIONS).pipe(createGunzip()));
  const byId = new Map(raw.map((row) => [row['transaction_id']!, { ...row, amount: Number(row['amount']) }]));
  const requests = expected.map((row) => byId.get(row['row_id'] as string));

  // The lookups first, from the window before the held-out part.
  const testStart = Number(expected.find((row) => row['split'] === 2)!['booked_at']);
  const deriver = compileFeatures({ derived: registry.derived, features: [] }, ready);
  const [merchants, amounts] = [new FrequencyBuilder(), new RobustStatsBuilder()];
  expected.forEach((row, i) => {
    const at = Number(row['booked_at']);
    if (at < testStart - spec.data.lookup_window_days * DAY_MS || at >= testStart) return;
    const { derived } = deriver.compute(requests[i]);
    merchants.add(derived['merchant_normalised'] as string);
    amounts.add(derived['operation_type_canonical'] as string | null, derived['amount_base'] as number);
  });
  const frequencies: MerchantFreqMap = merchants.build({ minCount: 5 });
  const stats: CategoryStats = amounts.build({ unit: 'USD', minRows: 50 });
  expect(frequencies.total).toBe(pandas.total);
  expect(frequencies.frequencies).toEqual(pandas.frequencies);
  expect(Object.keys(stats.categories).sort()).toEqual(Object.keys(pandas.categories).sort());
  for (const [group, own] of [...Object.entries(stats.categories), ['overall', stats.overall] as const]) {
    const theirs = group === 'overall' ? pandas.overall : pandas.categories[group]!;
    for (const key of ['count', 'median', 'iqr', 'p995'] as const)
      expect(own[key], `${group} ${key}`).toBeCloseTo(theirs[key], 9);
  }

  // Then every feature of every row. Two orders of float64 operations may land on neighbouring float32 values, no further.
  const computer = compileFeatures(registry, { ...ready, merchant_freq_map: frequencies, category_stats: stats });
  const worst = new Map(computer.names.map((name) => [name, { difference: 0, row: '' }]));
  expected.forEach((row, i) => {
    const { values, derived } = computer.compute(requests[i]);
    expect(derived['operation_type_canonical']).toBe(row['segment']);
    computer.names.forEach((name, position) => {
      const theirs = row[`feature.${name}`] as number;
      const difference = Math.abs(values[position]! - theirs) / Math.max(1, Math.abs(theirs));
      if (!(difference <= worst.get(name)!.difference)) worst.set(name, { difference, row: row['row_id'] as string });
    });
  });
  expect(expected.length).toBeGreaterThan(120_000);
  for (const [name, { difference, row }] of worst) expect(difference, `${name}, worst in ${row}`).toBeLessThan(1.2e-7);
});

it('texts are normalised as pandas does it, the naughty ones too', async () => {
  const naughty = JSON.parse(readFileSync(projectPath('test', 'corpora', 'blns.json'), 'utf8')) as string[];
  const texts = [
    ...naughty,
    'Straße',
    'ΟΔΟΣ',
    ' A\u00a0\u3000B\t',
    'ﬁnance ＬＬＣ',
    'Cafe\u0301',
    'İstanbul',
    '\u0085x\u2028',
  ];
  const script = [
    'import json, sys, pandas as pd, features_pandas',
    'print(json.dumps(features_pandas.normalised(pd.Series(json.load(sys.stdin), dtype=object)).tolist()))',
  ].join('\n');
  const { stdout } = await execa(python.env['SLUICE_PYTHON']!, ['-c', script], {
    cwd: projectPath('test', 'parity'),
    input: JSON.stringify(texts),
  });
  const theirs = JSON.parse(stdout) as string[];
  const differing = texts.flatMap((text, i) =>
    normaliseText(text) === theirs[i] ? [] : [[text, normaliseText(text), theirs[i]]],
  );
  expect(differing).toEqual([]);
});
