import type { RequestFields } from '../../domain/features/check.js';
import type { Column } from './parquet/columns.js';
import type { Splits } from './window.js';

/** What every training table begins with; the trainer's README describes the file. */
const LEADING: readonly Column[] = [
  { name: 'row_id', type: 'STRING', nullable: false },
  { name: 'booked_at', type: 'INT64', nullable: false },
  { name: 'label', type: 'INT32', nullable: false },
  { name: 'split', type: 'INT32', nullable: false },
  { name: 'segment', type: 'STRING', nullable: true },
];

/** `split` in the table */
export const SPLITS = ['train', 'validation', 'test'] as const;

/** The split, as a number, of the row at a position of the sorted rows. */
export function splitAt({ testFrom, validationFrom }: Splits, position: number) {
  return position >= testFrom ? 2 : position >= validationFrom ? 1 : 0;
}

/** Columns of a training table: the leading ones, the request's raw fields, the features. */
export function tableColumns(request: RequestFields, featureNames: readonly string[]): Column[] {
  return [
    ...LEADING,
    ...[...request].map(([name, type]): Column => ({
      name: `raw.${name}`,
      type: type === 'number' ? 'DOUBLE' : 'STRING',
      nullable: true,
    })),
    ...featureColumns(featureNames),
  ];
}

/** Columns of a comparison table: as above without the raw fields. */
export function comparisonColumns(featureNames: readonly string[]): Column[] {
  return [...LEADING, ...featureColumns(featureNames)];
}

function featureColumns(featureNames: readonly string[]): Column[] {
  return featureNames.map((name): Column => ({ name: `feature.${name}`, type: 'FLOAT', nullable: false }));
}
