import { epochMs } from '../domain/features/time.js';
import { MAX_UNKNOWN_IDS, type Label, type RecordedLabels } from '../stores/labels.js';
import { requireColumns } from './columns.js';
import { openCsv, UnreadableFile } from './csv.js';
import { emptySummary, refuse, type ImportSummary } from './summary.js';

const COLUMNS = ['transaction_id', 'is_fraud', 'labeled_at'] as const;
const SOURCE_COLUMN = 'source';
const MAX_TEXT = 128;
const FRAUD: Readonly<Record<string, boolean>> = { '0': false, '1': true, false: false, true: true };
/** handed over at once, and recorded in one transaction of the database */
const BATCH = 1_000;

/** What an import of labels did. A refused row changed nothing. */
export interface LabelSummary
  extends Omit<RecordedLabels, 'refused'>, Pick<ImportSummary, 'read' | 'refused' | 'ignoredColumns'> {}

export interface ImportLabelsInput {
  /** CSV or CSV.gz with the columns transaction_id, is_fraud (0 or 1) and labeled_at (RFC 3339); source, if there is one */
  file: string;
  onProgress?: (progress: { read: number; refused: number; fraction: number }) => void;
  signal?: AbortSignal;
}

/**
 * Reads a file of labels, streaming, checks it row by row and hands the labels over in batches. May be repeated after any failure.
 * @param record records one batch, as `recordLabels` does; the next one waits for it
 * @throws SluiceError InvalidInput (no such file, a column is missing), and whatever `record` throws
 */
export async function importLabels(
  { record }: { record: (labels: Label[]) => Promise<RecordedLabels> },
  { file, onProgress, signal }: ImportLabelsInput,
): Promise<LabelSummary> {
  const csv = await openCsv(file);
  const read = labelReader(csv.header, file);
  const { read: rows, refused, ignoredColumns } = { ...emptySummary(), ignoredColumns: read.ignoredColumns };
  const none = { recorded: 0, unchanged: 0, older: 0, transactions_updated: 0, unknown_transactions: 0 };
  const summary: LabelSummary = { read: rows, ...none, refused, ignoredColumns };
  const unknownIds: string[] = [];
  let batch: { line: number; label: Label }[] = [];
  const write = async (): Promise<void> => {
    const recorded = batch.length === 0 ? null : await record(batch.map(({ label }) => label));
    for (const name of Object.keys(none) as (keyof typeof none)[]) summary[name] += recorded?.[name] ?? 0;
    unknownIds.push(...(recorded?.unknown_ids ?? []).slice(0, MAX_UNKNOWN_IDS - unknownIds.length));
    for (const { index, path, message, value } of recorded?.refused ?? [])
      refuse(summary, batch[index]?.line ?? 0, `${path} ${message}`, value);
    batch = [];
    onProgress?.({ read: summary.read, refused: refused.count, fraction: csv.fraction() });
  };
  try {
    for await (const records of csv.records) {
      for (const record of records) {
        summary.read++;
        const row = 'malformed' in record ? { reason: record.malformed } : read.label(record.values);
        if ('reason' in row) refuse(summary, record.line, row.reason, row.value);
        else batch.push({ line: record.line, label: row.label });
        if (batch.length === BATCH) {
          signal?.throwIfAborted();
          await write();
        }
      }
    }
  } catch (error) {
    // What stands before the damage counts.
    if (error instanceof UnreadableFile) await write();
    throw error;
  }
  signal?.throwIfAborted();
  await write();
  return unknownIds.length === 0 ? summary : { ...summary, unknown_ids: unknownIds };
}

type LabelResult = { label: Label } | { reason: string; value?: string };

/** @throws SluiceError InvalidInput that names the missing columns */
function labelReader(
  header: readonly string[],
  file: string,
): { ignoredColumns: string[]; label(values: readonly string[]): LabelResult } {
  requireColumns(file, header, COLUMNS);
  const at = Object.fromEntries(header.map((name, index) => [name, index]));
  const wanted = new Set<string>([...COLUMNS, SOURCE_COLUMN]);
  return {
    ignoredColumns: header.filter((name) => !wanted.has(name)),
    label(values) {
      if (values.length !== header.length)
        return {
          reason: `malformed CSV: the header has ${header.length} columns, the row another number`,
          value: String(values.length),
        };
      const text = (name: string): string => values[at[name] ?? -1] ?? '';
      const transaction_id = text('transaction_id');
      if (transaction_id === '' || transaction_id.length > MAX_TEXT)
        return { reason: `/transaction_id must have 1 to ${MAX_TEXT} characters`, value: transaction_id };
      const is_fraud = Object.hasOwn(FRAUD, text('is_fraud')) ? FRAUD[text('is_fraud')] : undefined;
      if (is_fraud === undefined) return { reason: '/is_fraud must be 0 or 1', value: text('is_fraud') };
      const labeledAt = epochMs(text('labeled_at'));
      if (Number.isNaN(labeledAt))
        return { reason: '/labeled_at must be an RFC 3339 time with an offset', value: text('labeled_at') };
      const source = text(SOURCE_COLUMN);
      if (source.length > MAX_TEXT)
        return { reason: `/source must have at most ${MAX_TEXT} characters`, value: source };
      const label = { transaction_id, is_fraud, labeled_at: new Date(labeledAt) };
      return { label: source === '' ? label : { ...label, source } };
    },
  };
}
