import { Double, type Document } from 'mongodb';
import { epochMs } from '../domain/features/time.js';
import type { Fixing } from '../domain/lookups/fixings.js';
import { SluiceError } from '../platform/errors.js';
import { loadModel } from '../platform/models.js';
import { fixingsCollection, openCollection } from '../stores/collections.js';
import { namesShown } from './columns.js';
import { openCsv } from './csv.js';
import { emptySummary, progressOf, refuse, type ImportSummary } from './summary.js';
import type { ImportDeps, ImportTransactionsInput } from './transactions.js';
import { upsertChanged } from './upsert.js';

const BASE = 'EUR';
const DATE_COLUMN = 'Date';
const CURRENCY = /^[A-Z]{3}$/;
const NOT_QUOTED = new Set(['', 'N/A']);
const BATCH = 1_000;

/**
 * Brings the European Central Bank's reference rates in, from its own CSV (`Date,USD,JPY,…`; one euro in each currency), one document a day.
 * @throws SluiceError as `importTransactions`
 */
export async function importFixings(
  { db, modelsDir }: ImportDeps,
  { file, model, onProgress, signal }: Pick<ImportTransactionsInput, 'file' | 'model' | 'onProgress' | 'signal'>,
): Promise<ImportSummary> {
  const { spec } = await loadModel(modelsDir, model);
  const csv = await openCsv(file);
  const currencies = currencyColumns(csv.header, file);
  const collection = openCollection<Document>(db, fixingsCollection(spec.data));
  const summary = emptySummary();
  let batch = new Map<string, Document>();
  const write = async (): Promise<void> => {
    await upsertChanged(collection, '_id', [...batch.values()], summary, stored);
    batch = new Map();
    onProgress?.(progressOf(summary, csv.fraction()));
  };
  for await (const records of csv.records) {
    signal?.throwIfAborted();
    for (const record of records) {
      summary.read++;
      if ('malformed' in record) {
        refuse(summary, record.line, record.malformed);
        continue;
      }
      const result = fixingOf(record.values, csv.header, currencies);
      if ('reason' in result) {
        refuse(summary, record.line, result.reason, result.value);
      } else if (batch.has(result._id)) {
        refuse(summary, record.line, `/${DATE_COLUMN} must be different in every row`, result._id);
      } else {
        batch.set(result._id, result);
        if (batch.size === BATCH) await write();
      }
    }
  }
  await write();
  return summary;
}

/** Every rate as a double: one of 136 must not become an integer beside one of 136.5. */
function stored(document: Document): Document {
  const rates = Object.entries((document as unknown as Fixing).rates).map(([name, rate]) => [name, new Double(rate)]);
  return { ...document, rates: Object.fromEntries(rates) as Record<string, Double> };
}

/** Column index → currency. The ECB's own file ends every line with a comma, hence the nameless column. */
function currencyColumns(header: readonly string[], file: string): Map<number, string> {
  const columns = new Map<number, string>();
  for (const [index, name] of header.entries()) if (CURRENCY.test(name.trim())) columns.set(index, name.trim());
  const odd = header.filter((name) => name !== DATE_COLUMN && name.trim() !== '' && !CURRENCY.test(name.trim()));
  if (header[0] !== DATE_COLUMN || columns.size === 0 || odd.length > 0 || [...columns.values()].includes(BASE)) {
    throw new SluiceError(
      'InvalidInput',
      `${file} is not the ECB's table: expected ${DATE_COLUMN} and then currencies other than ${BASE}, found ${namesShown(header)}${odd.length > 0 ? ` (not a currency: ${namesShown(odd)})` : ''}. Nothing was changed.`,
    );
  }
  return columns;
}

function fixingOf(
  values: readonly string[],
  header: readonly string[],
  currencies: ReadonlyMap<number, string>,
): Fixing | { reason: string; value?: string } {
  if (values.length !== header.length)
    return {
      reason: 'malformed CSV: the row has another number of columns than the header',
      value: String(values.length),
    };
  const date = values[0] ?? '';
  if (Number.isNaN(epochMs(`${date}T00:00:00Z`)))
    return { reason: `/${DATE_COLUMN} must be a day as YYYY-MM-DD`, value: date };
  const rates: Record<string, number> = {};
  for (const [index, currency] of currencies) {
    const text = (values[index] ?? '').trim();
    if (NOT_QUOTED.has(text)) continue;
    const rate = Number(text);
    if (!(rate > 0) || !Number.isFinite(rate))
      return { reason: `/${currency} must be a positive number or N/A`, value: text };
    rates[currency] = rate;
  }
  if (Object.keys(rates).length === 0) return { reason: 'no currency is quoted' };
  return { _id: date, base: BASE, rates };
}
