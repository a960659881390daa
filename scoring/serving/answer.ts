import { shortestFloat32 } from '../../domain/features/float32.js';
import { compileReasons } from '../../domain/features/reasons.js';
import type { OpenBundle } from '../bundles/open-bundle.js';
import { BY_THRESHOLD, FIGURES, type ScoredRows } from '../bundles/scored-rows.js';
import type { Versions } from './api-schemas.js';

/**
 * Writes an answer of the shape `ScoreResponse`, as JSON text.
 * @param transactions as they were scored, in their order
 * @param explanations by row, as JSON; left out, there are none
 */
export type AnswerWriter = (
  requestId: string,
  transactions: readonly unknown[],
  scored: ScoredRows,
  explanations?: readonly string[],
) => string;

/**
 * Writes the answers of one bundle in one generation. What is the same in every answer is written once, here; a row costs the text of its
 * own figures and no object.
 */
export function createAnswerWriter(bundle: OpenBundle, versions: Versions): AnswerWriter {
  const { decider, featureNames, loaded } = bundle;
  const width = featureNames.length;
  const end = `],"versions":${JSON.stringify(versions)}}`;
  const rules = decider.rules.map(({ name, index, limit, reason_code }) => ({
    index,
    decidedBy: `{"kind":"rule","name":${JSON.stringify(name)},"value":`,
    limit: `,"limit":${limit}}`,
    reason: reasonStart(reason_code, `rule ${name}`, featureNames[index] ?? ''),
  }));
  const reasons = compileReasons(loaded.featureRegistry).map(({ code, text, feature, index, holds }) => ({
    index,
    holds,
    start: reasonStart(code, text, feature),
  }));
  const bySegment = new Map(
    [null, ...Object.keys(loaded.thresholds.operating.per_category)].map((segment) => [
      segment,
      { start: `{"kind":"threshold","name":${JSON.stringify(decider.nameOf(segment))},"value":`, ...limitOf(segment) },
    ]),
  );
  function limitOf(segment: string | null): { limit: string; threshold: string } {
    const threshold = decider.thresholdOf(segment);
    return { limit: `,"limit":${threshold}}`, threshold: `,"threshold":${threshold},"reason_codes":[` };
  }
  const common = bySegment.get(null) as { start: string; limit: string; threshold: string };

  const rowOf = (transaction: unknown, scored: ScoredRows, row: number): string => {
    const { figures, features } = scored;
    const at = row * FIGURES;
    const calibrated = figures[at + 1] as number;
    const rule = rules[scored.decidedBy[row] ?? BY_THRESHOLD];
    const segment = bySegment.get(scored.segments[row] ?? null) ?? common;
    const valueAt = (index: number): number => shortestFloat32(features[row * width + index] as number);
    let given = rule === undefined ? '' : `${rule.reason}${valueAt(rule.index)}}`;
    for (const { index, holds, start } of reasons) {
      if (holds(features[row * width + index] as number))
        given += `${given === '' ? '' : ','}${start}${valueAt(index)}}`;
    }
    const notices = scored.notices[row];
    return (
      `{"transaction_id":${JSON.stringify((transaction as { transaction_id: string }).transaction_id)}` +
      `,"score":${figures[at]},"calibrated_probability":${calibrated},"anomaly_score":${figures[at + 2]}` +
      (figures[at + 4] === 1 ? ',"decision":"alert","decided_by":' : ',"decision":"pass","decided_by":') +
      (rule === undefined
        ? segment.start + calibrated + segment.limit
        : rule.decidedBy + valueAt(rule.index) + rule.limit) +
      segment.threshold +
      given +
      (notices === undefined || notices.length === 0 ? '],"notices":[]' : `],"notices":${JSON.stringify(notices)}`)
    );
  };

  return (requestId, transactions, scored, explanations) => {
    let text = `{"request_id":${JSON.stringify(requestId)},"results":[`;
    for (let row = 0; row < scored.rows; row += 1) {
      text += row === 0 ? rowOf(transactions[row], scored, row) : `,${rowOf(transactions[row], scored, row)}`;
      text += explanations === undefined ? '}' : `,"explanation":${explanations[row]}}`;
    }
    return text + end;
  };
}

function reasonStart(code: string, text: string, feature: string): string {
  const fields = `"code":${JSON.stringify(code)},"text":${JSON.stringify(text)},"feature":${JSON.stringify(feature)}`;
  return `{${fields},"value":`;
}
