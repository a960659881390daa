import { createReadStream, readFileSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { parse as parseAll } from 'csv-parse/sync';
import type { Fixing } from '../../domain/lookups/fixings.js';
import { projectPath } from '../../platform/project.js';
import type { WorldRow } from '../../test/support/drift-world.js';

/** The file's transactions in order of time. @param only leaves customers out */
export async function readRows(file: string, only: (customer: string) => boolean): Promise<WorldRow[]> {
  const rows: WorldRow[] = [];
  for await (const row of createReadStream(file)
    .pipe(createGunzip())
    .pipe(parse({ columns: true }))) {
    const { is_fraud, labeled_at, amount, ...texts } = row as Record<string, string>;
    if (!only(texts['customer_id'] ?? '')) continue;
    rows.push({
      transaction: { ...texts, amount: Number(amount) },
      at: Date.parse(texts['booked_at'] ?? ''),
      isFraud: is_fraud === '1',
      labeledAt: Date.parse(labeled_at ?? ''),
    });
  }
  return rows.sort((a, b) => a.at - b.at);
}

export function readFixings(): Fixing[] {
  const rows = parseAll<Record<string, string>>(readFileSync(projectPath('data', 'ecb_fixings.csv')), {
    columns: true,
  });
  return rows.map(({ Date: day = '', ...rates }) => ({
    _id: day,
    base: 'EUR',
    rates: Object.fromEntries(Object.entries(rates).map(([currency, rate]) => [currency, Number(rate)])),
  }));
}
