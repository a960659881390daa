import type { ArtifactVersion, FeatureRegistry, ModelSpec, PerCategoryThresholds } from '../../schemas/types.js';
import { escapeMarkdown, markdownTable } from '../markdown/escape.js';
import { HEADLINE_METRICS } from '../release/headlines.js';
import type { ManifestInput } from './manifest.js';

export interface ModelCardInput {
  manifest: ManifestInput;
  spec: Pick<ModelSpec, 'description' | 'owner' | 'segment' | 'operating_threshold'>;
  registry: FeatureRegistry;
  thresholds: PerCategoryThresholds;
  data: { from: string; to: string; asOf: string; rows: number; positives: number; splits: Record<string, number> };
  /** lookup name → what it was made from, and whether it came from the bundle that is replaced */
  lookups: Readonly<Record<string, { made: ArtifactVersion; rebased: boolean }>>;
}

/** Counts in full, all else to four significant digits: enough to judge by, and more reads as more certain than it is. */
function figure(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

function table(columns: string[], rows: string[][]): string[] {
  return rows.length === 0 ? [] : [markdownTable(columns, rows)];
}

export const LOOKUPS_HEADING = '## Lookups';
export const THRESHOLDS_HEADING = '## Thresholds on the calibrated probability';

/** `model_card.md`: what a person should know of a bundle before trusting it. The same input gives the same text. */
export function modelCard({ manifest, spec, registry, thresholds, data, lookups }: ModelCardInput): string {
  const rank = (name: string): number => (HEADLINE_METRICS.includes(name) ? HEADLINE_METRICS.indexOf(name) : Infinity);
  const figures = Object.entries(manifest.metrics).sort(([a], [b]) => {
    const [first, second] = [rank(a), rank(b)];
    return first === second ? (a < b ? -1 : 1) : first - second;
  });
  const sections = [
    `# ${escapeMarkdown(manifest.model)} ${manifest.version}`,
    escapeMarkdown(spec.description),
    '## Lineage',
    markdownTable(
      ['what', 'value'],
      [
        ['owner', spec.owner],
        ['release', manifest.releaseId],
        ['MLflow run', manifest.runId],
        ['registry version', manifest.modelVersion],
        ['git commit', manifest.gitSha === '' ? 'none: the code was no Git checkout' : manifest.gitSha],
        ['trained at', manifest.trainedAt],
        ['data snapshot', manifest.dataSnapshotId],
        ['replaces', manifest.parentVersion ?? 'nothing: it is the first'],
      ],
    ),
    '## Data',
    `${data.rows} transactions booked from ${data.from} to ${data.to}, seen as of ${data.asOf}; ${data.positives} of them frauds. ` +
      `Parts by time: ${Object.entries(data.splits)
        .map(([name, rows]) => `${name} ${rows}`)
        .join(', ')}.`,
    '## Figures on the held-out part',
    markdownTable(
      ['metric', 'value'],
      figures.map(([name, value]) => [name, value === null ? 'not measured' : figure(value)]),
    ),
    ...thresholdsSections(thresholds, spec.segment, `${spec.operating_threshold.strategy}, chosen on validation data`),
    '## Features',
    markdownTable(
      ['feature', 'unit', 'logic', 'sources'],
      registry.features.map(({ name, unit, logic, sources }) => [name, unit, logic, sources.join(', ')]),
    ),
    ...lookupsSections(
      Object.entries(lookups).map(([name, { made, rebased }]) => ({
        name,
        made,
        from: rebased ? 'the bundle that was live' : 'the training snapshot',
      })),
    ),
  ];
  return sections.join('\n\n') + '\n';
}

/** @param origin how the thresholds came about */
export function thresholdsSections(thresholds: PerCategoryThresholds, segment: string, origin: string): string[] {
  const perCategory = Object.entries(thresholds.operating.per_category).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    THRESHOLDS_HEADING,
    `An alert is raised at ${figure(thresholds.operating.threshold)} and above (${escapeMarkdown(origin)})` +
      (perCategory.length === 0
        ? `, whatever the ${escapeMarkdown(segment)} is.`
        : `, or at its own threshold for these values of ${escapeMarkdown(segment)}:`),
    ...table(
      [segment, 'threshold'],
      perCategory.map(([name, threshold]) => [name, figure(threshold)]),
    ),
    ...table(
      ['alert budget', 'threshold'],
      Object.entries(thresholds.budgets).map(([name, budget]) => [name, figure(budget.threshold)]),
    ),
    'Figures have four significant digits here; `per_category_thresholds.json` has these in full.',
  ];
}

export function lookupsSections(lookups: readonly { name: string; made: ArtifactVersion; from: string }[]): string[] {
  return [
    LOOKUPS_HEADING,
    markdownTable(
      ['lookup', 'version', 'as of', 'rows', 'from'],
      lookups.map(({ name, made, from }) => [
        name,
        made.version,
        made.as_of,
        made.rows === 0 ? 'none: a file of its own' : String(made.rows),
        from,
      ]),
    ),
  ];
}
