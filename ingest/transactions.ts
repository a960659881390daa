import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Double, type Db, type Document } from 'mongodb';
import { FingerprintSet } from '../domain/data-quality/fingerprint-set.js';
import { requestFields } from '../domain/features/check-model.js';
import { SluiceError } from '../platform/errors.js';
import { loadModel } from '../platform/models.js';
import { ensureTransactionIndexes } from '../stores/transactions/indexes.js';
import type { ModelSpec } from '../schemas/types.js';
import { openCollection, transactionsCollection } from '../stores/collections.js';
import { judgedTransactions } from '../stores/predictions/judged.js';
import { newestFixingDay, quotedCurrencies } from '../stores/fixings.js';
import { countDeletions } from '../stores/transactions/rows.js';
import { finishedImport, rememberImport } from '../stores/imports.js';
import { openCsv, UnreadableFile } from './csv.js';
import type { CsvRecord } from './records.js';
import { createRowReader, type RowReader } from './row-reader.js';
import { emptySummary, progressOf, refuse, type ImportProgress, type ImportSummary } from './summary.js';
import { unknownValues } from './unknown-values.js';
import { upsertChanged } from './upsert.js';

const BATCH = 5_000;

export interface ImportDeps {
  db: Db;
  /** absolute path of the folder that holds one folder per model */
  modelsDir: string;
}

export interface ImportTransactionsInput {
  /** CSV or CSV.gz */
  file: string;
  /** whose collection and request schema */
  model: string;
  /** moves both times of every row; 0 by default: times move only when asked */
  shiftDays?: number;
  /** do nothing when this very file was imported before and its rows are still there */
  skipIfImported?: boolean;
  /** change rows that have been scored or have feedback, too: by default they stay as they are, and are counted */
  replace?: boolean;
  onProgress?: (progress: ImportProgress) => void;
  /** ends the import between two batches: what is being written is finished and told first, then the import rejects with the reason */
  signal?: AbortSignal;
}

/**
 * Brings labelled transactions in, streaming: checked row by row, upserted by id, written only where something differs. Refused rows are
 * counted with their reasons and change nothing; nor, unless asked to, do rows whose stored namesake has been scored or has feedback. May be repeated after any failure.
 * @throws SluiceError InvalidInput (no such file, a column is missing, no fixings yet), Unreachable, DiskFull
 */
export async function importTransactions(deps: ImportDeps, input: ImportTransactionsInput): Promise<ImportSummary> {
  const { db } = deps;
  const model = await loadModel(deps.modelsDir, input.model);
  const { data } = model.spec;
  const { file, shiftDays = 0, replace = false, onProgress, signal } = input;
  const csv = await openCsv(file);
  const quoted = await currenciesOf(db, data);
  const reader = createRowReader(model, csv.header, { file, quoted, shiftDays });
  const importId = `${data.collection}/${await sha256OfFile(file)}/${shiftDays}`;
  if (input.skipIfImported === true) {
    const before = await importedBefore(db, importId, data);
    if (before !== null) return { ...before, skipped: true };
  }
  await ensureTransactionIndexes(db, data);

  const summary: ImportSummary = { ...emptySummary(), ignoredColumns: reader.ignoredColumns };
  const ids = new FingerprintSet();
  const unknown = unknownValues(model);
  const collection = openCollection(db, transactionsCollection(data));
  // An amount of 40 must not become a 32-bit integer beside one of 40.5.
  const doubles = [...requestFields(model.requestSchema)].flatMap(([name, type]) => (type === 'number' ? [name] : []));
  const stored = (document: Document): Document => ({
    ...document,
    ...Object.fromEntries(doubles.map((name) => [name, new Double(document[name] as number)])),
  });
  const mustStay = replace ? undefined : (keys: string[]) => judgedTransactions(db, keys);
  let batch: Document[] = [];
  let newestMs = -Infinity;
  // One batch is written while the next is parsed.
  let writing = Promise.resolve();
  const write = async (): Promise<void> => {
    await writing;
    const documents = batch;
    batch = [];
    writing = upsertChanged(collection, data.fields.id, documents, summary, stored, mustStay);
    // A rejection is met at the next await; until then it must not count as unhandled.
    writing.catch(() => undefined);
    onProgress?.(progressOf(summary, csv.fraction()));
  };
  const report = async (): Promise<void> => {
    await writing;
    onProgress?.(progressOf(summary, csv.fraction()));
  };
  try {
    for await (const records of csv.records) {
      signal?.throwIfAborted();
      for (const record of records) {
        summary.read++;
        const document = documentOf(record, reader, ids, data.fields.id, summary);
        if (document !== null) {
          batch.push(document);
          unknown.accept(document);
          newestMs = Math.max(newestMs, (document[data.fields.time] as Date).getTime());
        }
        if (batch.length === BATCH) await write();
      }
    }
  } catch (error) {
    // What stands before the damage counts. Whoever stops an import waits only for what is being written.
    if (error instanceof UnreadableFile) await write();
    await report();
    throw error;
  }
  await write();
  await report();
  const late = await beyondTheRates(db, model.spec.data, newestMs);
  const notices = [
    ...(summary.read === 0 ? ['the file has a header and no rows'] : []),
    ...unknown.notices(),
    ...(late === null ? [] : [late]),
  ];
  if (notices.length > 0) summary.notices = notices;
  await rememberImport(db, importId, summary);
  return summary;
}

function documentOf(
  record: CsvRecord,
  reader: RowReader,
  ids: FingerprintSet,
  idField: string,
  summary: ImportSummary,
): Document | null {
  if ('malformed' in record) {
    refuse(summary, record.line, record.malformed);
    return null;
  }
  const row = reader.read(record.values);
  if ('reason' in row) {
    refuse(summary, record.line, row.reason, row.value);
    return null;
  }
  const id = String(row.document[idField]);
  if (!ids.add(id)) {
    refuse(summary, record.line, `/${idField} must be different in every row of the file`, id);
    return null;
  }
  return row.document;
}

/** @throws SluiceError InvalidInput when no fixings were imported: without them any currency would be unknown */
async function currenciesOf(db: Db, data: ModelSpec['data']): Promise<ReadonlySet<string>> {
  const quoted = await quotedCurrencies(db, data);
  if (quoted.size > 0) return quoted;
  throw new SluiceError(
    'InvalidInput',
    `${data.fixings_collection} is empty, so every currency is unknown. Import the exchange rates first: \`sluice data import-fixings FILE\`. Nothing was changed.`,
  );
}

const DAY_MS = 86_400_000;

/** Transactions that are younger than the newest rate may be: a release or refresh would refuse them, weeks after the import. */
async function beyondTheRates(db: Db, data: ModelSpec['data'], newestMs: number): Promise<string | null> {
  const day = await newestFixingDay(db, data);
  if (day === null || !(newestMs > Date.parse(day) + data.checks.max_fixing_gap_days * DAY_MS)) return null;
  return `the newest exchange rates are of ${day}, the newest transaction of ${new Date(newestMs).toISOString().slice(0, 10)}: import newer rates before the next release, \`sluice data import-fixings FILE\``;
}

async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** The summary of this very import, if its rows are still there. */
async function importedBefore(db: Db, importId: string, data: ModelSpec['data']): Promise<ImportSummary | null> {
  const summary = await finishedImport<ImportSummary>(db, importId);
  if (summary === null) return null;
  const { inserted, updated, unchanged, kept } = summary;
  const there = await openCollection(db, transactionsCollection(data)).estimatedDocumentCount();
  // What somebody deleted is not missed.
  const deleted = await countDeletions(db, data);
  return there + deleted >= inserted + updated + unchanged + (kept?.count ?? 0) ? summary : null;
}
