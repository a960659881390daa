import type { PruneResult } from '../../activities/retention/contract.js';
import { markdownTable } from '../../domain/markdown/escape.js';
import { callerOf } from '../common/caller.js';
import { page, requestLine, stepsTable, titleLine } from '../common/details.js';
import type { PruneInput, PruneProgress } from './contract.js';

/** a page is for people; the result has them all */
const SHOWN = 50;

/** The run as Markdown, for the Temporal UI's current details. */
export function describePrune(input: PruneInput, { status, why, steps, result }: PruneProgress): string {
  return page(
    titleLine(input.model, 'old artifacts', status, why),
    requestLine(callerOf(input)),
    stepsTable(steps),
    result === null ? null : deletedTable(result),
  );
}

function deletedTable({ deleted }: PruneResult): string | null {
  if (deleted.length === 0) return null;
  const rows = deleted.slice(0, SHOWN).map(({ kind, name, bytes }) => [kind, name, String(bytes)]);
  const more = deleted.length - rows.length;
  return page(markdownTable(['deleted', 'name', 'bytes'], rows), more > 0 ? `and ${more} more` : null);
}
