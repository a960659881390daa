import type { DriftDay } from '../../domain/drift/day.js';
import { escapeMarkdown, inlineCode, markdownTable } from '../../domain/markdown/escape.js';
import { page, stepsTable, titleLine } from '../common/details.js';
import type { DriftInput, DriftProgress, Retraining } from './contract.js';

const share = (value: number | null): string => (value === null ? 'not measured' : `${(100 * value).toFixed(2)} %`);
const ratio = (value: number | null): string => (value === null ? 'not measured' : value.toFixed(2));

/** The run as Markdown, for the Temporal UI's current details: verdict, figures by feature, what was done, and where the report is. */
export function describeDrift(input: DriftInput, progress: DriftProgress): string {
  const { status, why, day, snapshot, retraining, mlflowUrl, steps } = progress;
  const what = `${input.kind === 'weekly' ? 'weekly snapshot' : 'drift'} as of ${escapeMarkdown(input.asOf)}`;
  return page(
    titleLine(input.model, what, status, why),
    day === null ? null : figures(day),
    snapshot?.snapshotKey ? `${snapshot.rows} rows, ${inlineCode(snapshot.snapshotKey)}` : null,
    retraining === null ? null : retrainingLine(retraining),
    mlflowUrl === null ? null : `[Report in MLflow](${encodeURI(mlflowUrl)})`,
    stepsTable(steps),
  );
}

function retrainingLine({ outcome, workflowId, until, claim }: Retraining): string {
  return outcome === 'started'
    ? `Retraining: ${inlineCode(workflowId)}`
    : `No retraining before ${until}: ${inlineCode(claim.releaseId)} was the last.`;
}

function figures(day: DriftDay): string {
  const { days, of, required } = day.sustained;
  return page(
    `${day.rows} rows against ${inlineCode(day.bundleVersion)}; alert rate ${share(day.alertRate)}, ${ratio(day.alertRateRatio)} times the reference's; drift on ${days} of the last ${of} days (retraining at ${required}).`,
    markdownTable(
      ['feature', 'PSI', 'drift'],
      Object.entries(day.psi).map(([name, psi]) => [
        name,
        psi === null ? 'not measured' : psi.toFixed(4),
        day.featuresWithDrift.includes(name) ? 'YES' : 'no',
      ]),
    ),
  );
}
