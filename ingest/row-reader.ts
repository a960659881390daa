import type { ValidateFunction } from 'ajv';
import { requestFields } from '../domain/features/check-model.js';
import { epochMs } from '../domain/features/time.js';
import type { LoadedModel } from '../platform/models.js';
import { createAjv, toViolations } from '../platform/validate.js';
import { requireColumns } from './columns.js';

const DAY_MS = 86_400_000;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

export type RowResult = { document: Record<string, unknown> } | { reason: string; value?: string };

export interface RowReader {
  ignoredColumns: string[];
  /** a record as a document, or why it is refused */
  read(values: readonly string[]): RowResult;
}

/**
 * Turns records into documents of the model's collection: the request's fields by its schema, and the label with its time.
 * @param header of the file
 * @param quoted currencies that some imported fixing quotes
 * @throws SluiceError InvalidInput that names the missing columns
 */
export function createRowReader(
  { spec, registry, requestSchema }: LoadedModel,
  header: readonly string[],
  options: { file: string; quoted: ReadonlySet<string>; shiftDays: number },
): RowReader {
  const { fields } = spec.data;
  const types = requestFields(requestSchema);
  const required = new Set([...((requestSchema['required'] ?? []) as string[]), fields.label, fields.label_time]);
  requireColumns(options.file, header, required);

  const columns = [...types]
    .filter(([name]) => header.includes(name))
    .map(([name, type]) => ({ name, type, index: header.indexOf(name) }));
  const labelAt = header.indexOf(fields.label);
  const labelTimeAt = header.indexOf(fields.label_time);
  const currencies = registry.derived.flatMap(({ op }) => (op.kind === 'convert' ? [op.currency] : []));
  const valid = createAjv().compile(requestSchema);
  const shiftMs = options.shiftDays * DAY_MS;
  const time = (text: string): number => epochMs(text) + shiftMs;

  return {
    ignoredColumns: header.filter((name) => !types.has(name) && name !== fields.label && name !== fields.label_time),
    read(values) {
      if (values.length !== header.length)
        return {
          reason: `malformed CSV: the header has ${header.length} columns, the row another number`,
          value: String(values.length),
        };
      const text = (index: number): string => values[index] ?? '';
      const request: Record<string, unknown> = {};
      const document: Record<string, unknown> = {};
      for (const { name, type, index } of columns) {
        const cell = text(index);
        if (type === 'number') {
          const number = DECIMAL.test(cell) ? Number(cell) : NaN;
          if (!Number.isFinite(number)) return { reason: `/${name} must be a finite number`, value: cell };
          request[name] = document[name] = number;
        } else if (type === 'time') {
          const at = time(cell);
          if (Number.isNaN(at)) return { reason: `/${name} must be an RFC 3339 time with an offset`, value: cell };
          request[name] = cell;
          document[name] = new Date(at);
        } else {
          request[name] = document[name] = cell;
        }
      }
      const refused = firstViolation(valid, request);
      if (refused !== null) return refused;
      for (const name of currencies) {
        const currency = String(request[name]);
        if (!options.quoted.has(currency))
          return { reason: `/${name} must be a currency that the imported fixings quote`, value: currency };
      }
      const label = text(labelAt);
      if (label !== '0' && label !== '1') return { reason: `/${fields.label} must be 0 or 1`, value: label };
      const labelTime = time(text(labelTimeAt));
      if (Number.isNaN(labelTime))
        return { reason: `/${fields.label_time} must be an RFC 3339 time with an offset`, value: text(labelTimeAt) };
      if (labelTime < (document[fields.time] as Date).getTime())
        return { reason: `/${fields.label_time} must not lie before /${fields.time}`, value: text(labelTimeAt) };
      document[fields.label] = Number(label);
      document[fields.label_time] = new Date(labelTime);
      return { document };
    },
  };
}

function firstViolation(
  valid: ValidateFunction,
  request: Record<string, unknown>,
): { reason: string; value?: string } | null {
  if (valid(request)) return null;
  const [first] = toViolations(valid.errors);
  const path = first?.path ?? '';
  const value = request[path.slice(1)];
  const reason = `${path} ${first?.message ?? 'is not valid'}`;
  return typeof value === 'string' || typeof value === 'number' ? { reason, value: String(value) } : { reason };
}
