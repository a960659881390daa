import type { Op } from '../../schemas/types.js';

/** How an op reads a value. Times come from the request only. */
export type ValueType = 'number' | 'string' | 'time';

export interface OpInput {
  /** the op's own key that names the value */
  key: string;
  name: string;
  type: ValueType;
}

/** The builder whose lookups an op can read. */
export type LookupKind = 'static' | 'frequency' | 'robust_stats' | 'fixings';

/** What an op reads, as declared: the one place that knows the types of each kind's inputs. */
export function opInputs(op: Op): OpInput[] {
  switch (op.kind) {
    case 'value':
    case 'log1p':
      return [{ key: 'input', name: op.input, type: 'number' }];
    case 'normalise':
    case 'canonical':
    case 'index_of':
      return [{ key: 'input', name: op.input, type: 'string' }];
    case 'convert':
      return [
        { key: 'amount', name: op.amount, type: 'number' },
        { key: 'currency', name: op.currency, type: 'string' },
        { key: 'at', name: op.at, type: 'time' },
      ];
    case 'frequency':
      return [{ key: 'key', name: op.key, type: 'string' }];
    case 'robust_z':
    case 'ratio_to_cap':
      return [
        { key: 'value', name: op.value, type: 'number' },
        { key: 'group', name: op.group, type: 'string' },
      ];
    case 'hour_of_day':
    case 'day_of_week':
      return [{ key: 'at', name: op.at, type: 'time' }];
  }
}

/** What an op yields. */
export function opOutput(op: Op): 'number' | 'string' {
  return op.kind === 'normalise' || op.kind === 'canonical' ? 'string' : 'number';
}

/** The lookup an op reads and the builder that must have made it; null for ops without one. */
export function opLookup(op: Op): { name: string; kind: LookupKind } | null {
  switch (op.kind) {
    case 'canonical':
      return { name: op.lookup, kind: 'static' };
    case 'convert':
      return { name: op.lookup, kind: 'fixings' };
    case 'frequency':
      return { name: op.lookup, kind: 'frequency' };
    case 'robust_z':
    case 'ratio_to_cap':
      return { name: op.lookup, kind: 'robust_stats' };
    default:
      return null;
  }
}
