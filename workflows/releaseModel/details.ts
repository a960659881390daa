import { escapeMarkdown, inlineCode, link, markdownTable, shortened } from '../../domain/markdown/escape.js';
import { comparisonTable, fourDigits } from '../../domain/release/comparison.js';
import type { Provenance, TrainedOn } from '../../domain/release/provenance.js';
import type { Metrics } from '../../domain/release/types.js';
import {
  checksTable,
  decisionSections,
  identityLine,
  overridesTable,
  page,
  requestLine,
  stepsTable,
  titleLine,
} from '../common/details.js';
import type { Proposal, ReleaseInput, ReleaseProgress } from './contract.js';

/** The run as Markdown, for the Temporal UI's current details: where it stands, and what is to be decided by whom and how. */
export function describeRelease(input: ReleaseInput, workflowId: string, progress: ReleaseProgress): string {
  const { status, why, approval, gates, steps, data, dataSnapshotId, training, overrideReason } = progress;
  return page(
    titleLine(input.model, `release ${inlineCode(input.releaseId)}`, status, why),
    requestLine(input.caller),
    identityLine(progress.unproven),
    overridesTable(progress.overrides),
    overrideReason === undefined
      ? null
      : `Why the spec does not hold here: ${escapeMarkdown(shortened(overrideReason))}`,
    data ? dataLine(data, dataSnapshotId) : null,
    training === null ? null : trainingLine(input, training),
    approval === null ? (gates.length === 0 ? null : checksTable(gates)) : toDecide(approval, workflowId),
    stepsTable(steps),
  );
}

function toDecide(approval: NonNullable<ReleaseProgress['approval']>, workflowId: string): string {
  const { releaseId, modelVersion, operatingThreshold, champion, gates, metrics } = approval.proposal;
  return decisionSections({
    approval,
    name: releaseId,
    question: [
      `Promote version ${inlineCode(modelVersion)} to Production? Operating threshold ${fourDigits(operatingThreshold)}; live now: ${champion === null ? 'nothing' : `${inlineCode(champion.version)}, the champion`}.`,
      ...tableOf(comparisonTable(metrics, champion, gates)),
      ...tableOf(thresholdLines(operatingThreshold, metrics, champion)),
      ...whatChanged(approval.proposal),
    ],
    commands: { approve: decideCommand('approve', releaseId), reject: decideCommand('reject', releaseId) },
    workflowId,
  });
}

/** At the declared threshold, on the held-out rows: of candidate and champion alike. */
function thresholdLines(operating: number, metrics: Metrics, champion: Proposal['champion']): string[][] {
  const theirs = (name: string): string => (champion === null ? '–' : fourDigits(champion.metrics[name]));
  return [
    ['at the operating threshold', 'live now', 'candidate'],
    ['threshold', theirs('operating_threshold'), fourDigits(operating)],
    ['expected alerts a day', theirs('daily_alerts'), fourDigits(metrics['daily_alerts'])],
  ];
}

/** Data and parameters beside the champion's, and where more of both is. */
function whatChanged({ provenance, data, champion, modelVersion }: Proposal): string[] {
  if (provenance === undefined) return [];
  const { links, champion: live, parameters } = provenance;
  const share = (one: TrainedOn): string => `${one.positives} (${fourDigits((100 * one.positives) / one.rows)} %)`;
  const rows: [string, (one: TrainedOn) => string][] = [
    ['transactions', ({ rows: count }) => String(count)],
    ['frauds', share],
    ['from', ({ from }) => from],
    ['to', ({ to }) => to],
  ];
  const cell = (one: TrainedOn | null | undefined, show: (of: TrainedOn) => string): string =>
    one ? show(one) : live === null ? '–' : 'not known any more';
  const pages = (name: string, { run, version }: Provenance['links']): string =>
    [
      link(`${name} in MLflow`, version),
      run === null ? 'its run has been deleted' : link('its training run', run),
    ].join(', ');
  return [
    markdownTable(
      ['data', 'live now', 'candidate'],
      [
        ...rows.map(([name, show]) => [name, live === null ? '–' : cell(live.data, show), cell(data, show)]),
        ['snapshot', live?.snapshotId ?? '–', data?.snapshotId ?? '–'],
      ],
    ),
    parameters === null
      ? 'Parameters: the training run of the champion has been deleted, so nobody can say what differs.'
      : parameters.length === 0
        ? "Parameters and seed: the champion's."
        : markdownTable(
            ['parameter', 'live now', 'candidate'],
            parameters.map((one) => [one.name, one.champion ?? '–', one.candidate ?? '–']),
          ),
    [
      `Candidate: ${pages(`version ${modelVersion}`, links)}.`,
      ...(live === null
        ? []
        : [
            `Champion: ${pages(`version ${live.modelVersion}`, live.links)}; trained as of ${escapeMarkdown(live.asOf)}; files of ${inlineCode(champion?.version ?? live.bundle)}: ${inlineCode(live.files)}.`,
          ]),
    ].join('\n\n'),
  ];
}

function dataLine(data: NonNullable<ReleaseProgress['data']>, snapshotId: string | null): string {
  const { from, to, rows, positives } = data;
  const share = fourDigits((100 * positives) / rows);
  return `Data: ${rows} transactions with ${positives} frauds (${share} %), from ${from} to ${to}, snapshot ${inlineCode(snapshotId ?? '?')}.`;
}

function trainingLine({ overrides }: ReleaseInput, { runId }: NonNullable<ReleaseProgress['training']>): string {
  const seed = overrides?.seed === undefined ? "the spec's seed" : `seed ${overrides.seed}`;
  return `Training: MLflow run ${inlineCode(runId)}, the spec's parameters, ${seed}.`;
}

function tableOf([titles = [], ...rows]: string[][]): string[] {
  return [markdownTable(titles, rows)];
}

/** What an approver types. */
export function decideCommand(verdict: 'approve' | 'reject', releaseId: string): string {
  return `sluice release ${verdict} ${releaseId} --reason WHY`;
}
