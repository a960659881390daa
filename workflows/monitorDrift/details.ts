import type { DriftDay } from '../../domain/drift/day.js';
import type { DriftInput, DriftProgress } from './contract.js';

const share = (value: number | null): string => (value === null ? 'not measured' : `${(100 * value).toFixed(2)} %`);
const ratio = (value: number | null): string => (value === null ? 'not measured' : value.toFixed(2));

/** The run as Markdown, for the Temporal UI's current details: verdict, figures by feature, what was done, and where the report is. */
export function describeDrift(input: DriftInput, progress: DriftProgress): string {
  const { day, snapshot, retraining, mlflowUrl } = progress;
  const lines = [
    `**${input.model}**, ${input.kind === 'weekly' ? 'weekly snapshot' : 'drift'} as of ${input.asOf}: ${progress.status}${progress.why === null ? '' : ` (${progress.why})`}`,
    '',
  ];
  if (day !== null) lines.push(...dayTable(day));
  if (snapshot?.snapshotKey) lines.push(`${snapshot.rows} rows, \`${snapshot.snapshotKey}\``, '');
  if (retraining !== null)
    lines.push(
      retraining.outcome === 'started'
        ? `Retraining: \`${retraining.workflowId}\``
        : `No retraining before ${retraining.until}: \`${retraining.claim.releaseId}\` was the last.`,
      '',
    );
  if (mlflowUrl !== null) lines.push(`[Report in MLflow](${mlflowUrl})`, '');
  lines.push(
    '| step | status | |',
    '|---|---|---|',
    ...progress.steps.map(({ name, status, detail }) => `| ${name} | ${status} | ${detail ?? ''} |`),
  );
  return lines.join('\n');
}

function dayTable(day: DriftDay): string[] {
  return [
    `${day.rows} rows against ${day.bundleVersion}; alert rate ${share(day.alertRate)}, ${ratio(day.alertRateRatio)} times the reference's; drift on ${day.sustained.days} of the last ${day.sustained.of} days (${day.sustained.required} ask for a retraining).`,
    '',
    '| feature | PSI | drift |',
    '|---|---|---|',
    ...Object.entries(day.psi).map(
      ([name, psi]) =>
        `| ${name} | ${psi === null ? 'not measured' : psi.toFixed(4)} | ${day.featuresWithDrift.includes(name) ? '**yes**' : 'no'} |`,
    ),
    '',
  ];
}
