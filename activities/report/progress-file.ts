import { escapeMarkdown } from '../../domain/markdown/escape.js';
import { unprovenLine } from '../../domain/approval/identity.js';
import { overrideLine } from '../../domain/release/overrides.js';
import { HEADLINE_METRICS } from '../../domain/release/headlines.js';
import type { ReleaseReport } from './contract.js';

const BEGIN =
  '<!-- sluice:releases:begin (rows below are written by Sluice; everything outside the two marks is yours) -->';
const BEGIN_MARK = /^<!-- sluice:releases:begin\b.*-->$/;
const END = '<!-- sluice:releases:end -->';

/** One column of a progress table. */
export interface Column {
  title: string;
  cell: (report: ReleaseReport) => string | null;
}

const common: Column[] = [
  { title: 'release', cell: (r) => r.releaseId },
  { title: 'model', cell: (r) => r.model },
  { title: 'finished (UTC)', cell: (r) => r.finishedAt.slice(0, 19).replace('T', ' ') },
  { title: 'status', cell: (r) => r.status },
];
const ending: Column[] = [
  { title: 'who', cell: whoCell },
  { title: 'why', cell: (r) => r.reason },
  // The last one: rows of files from before it simply end earlier.
  { title: 'overrides', cell: overridesCell },
];
const metric = (name: string): Column => ({ title: name, cell: (r) => formatMetric(r.metrics[name]) });

/** What went live, and when. */
export const PROGRESS_COLUMNS: readonly Column[] = [
  ...common,
  { title: 'run id', cell: (r) => r.runId },
  { title: 'version', cell: (r) => r.modelVersion },
  { title: 'bundle', cell: (r) => r.bundleVersion },
  { title: 'generation', cell: (r) => r.generation?.toString() ?? null },
  metric('auc_pr'),
  metric('f1_score'),
  ...ending,
];

/** How good each model was. */
export const MODEL_PROGRESS_COLUMNS: readonly Column[] = [
  ...common,
  { title: 'run id', cell: (r) => r.runId },
  { title: 'version', cell: (r) => r.modelVersion },
  { title: 'stage', cell: (r) => r.stage },
  ...HEADLINE_METRICS.map(metric),
  { title: 'gates', cell: (r) => gatesCell(r) },
  { title: 'data', cell: (r) => r.dataSnapshotId },
  ...ending,
];

/**
 * The file's text with this release's row in it: replaced where the release has one, else added at the end. Whatever stands outside our
 * marks stays as it is; a file without them gets them at its end.
 * @param existing null: there is no file yet
 */
export function withRelease(
  existing: string | null,
  title: string,
  columns: readonly Column[],
  report: ReleaseReport,
): string {
  const text = existing ?? `# ${title}\n`;
  const lines = text.split('\n');
  // The last one: where a mark was damaged, what follows it is the user's, up to the next whole pair.
  const begin = lines.findLastIndex((line) => BEGIN_MARK.test(line.trim()));
  const end = lines.findIndex((line, i) => i > begin && line.trim() === END);
  const marked = begin !== -1 && end !== -1;
  const before = marked ? lines.slice(0, begin) : text.replace(/\n*$/, '\n').split('\n');
  const after = marked ? lines.slice(end + 1) : [''];
  const rows = marked
    ? lines
        .slice(begin + 1, end)
        .filter((line) => line.startsWith('|'))
        .slice(2)
    : [];

  const row = `| ${columns.map(({ cell }) => escapeMarkdown(cell(report) ?? '–')).join(' | ')} |`;
  // Release id and model are the first two columns, and name the row.
  const identity = `| ${escapeMarkdown(report.releaseId)} | ${escapeMarkdown(report.model)} |`;
  const at = rows.findIndex((line) => line.startsWith(identity));
  if (at === -1) rows.push(row);
  else rows[at] = row;

  const head = [`| ${columns.map((column) => column.title).join(' | ')} |`, `|${' --- |'.repeat(columns.length)}`];
  return [...before, BEGIN, '', ...head, ...rows, '', END, ...after].join('\n');
}

function whoCell({ actor, unproven }: ReleaseReport): string {
  const line = unprovenLine(unproven);
  return line === null ? actor : `${actor} (${line})`;
}

function overridesCell({ overrides = [], overrideReason }: ReleaseReport): string | null {
  if (overrides.length === 0) return null;
  const lines = overrides.map(overrideLine).join('; ');
  return overrideReason === undefined ? lines : `${lines}, because: ${overrideReason}`;
}

function formatMetric(value: number | null | undefined): string | null {
  return value === null || value === undefined || !Number.isFinite(value) ? null : value.toFixed(4);
}

function gatesCell({ gates }: ReleaseReport): string | null {
  if (gates.length === 0) return null;
  const failed = gates.filter(({ passed }) => !passed).map(({ name }) => name);
  return failed.length === 0 ? `${gates.length} passed` : `failed: ${failed.join(', ')}`;
}
