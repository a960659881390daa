import type { Gate } from '../../schemas/types.js';
import { evaluateGates } from '../gates/gates.js';
import { fourDigits } from '../release/comparison.js';
import type { OverrideChange } from '../release/overrides.js';
import type { CheckResult, Metrics } from '../release/types.js';
import type { ThresholdSummary } from './summary.js';

type Side = ThresholdSummary['overall']['new'];

/** What a proposal has figures of, by the names that a release's gates use; as training/sluice_trainer/metrics.py defines them. */
const FIGURES: Record<string, (side: Side, summary: ThresholdSummary) => number | null> = {
  precision: ({ precision }) => precision.value,
  recall: ({ recall }) => recall.value,
  fraud_caught_rate: ({ recall }) => recall.value,
  f1_score: ({ f1 }) => f1.value,
  daily_alerts: ({ alerts_per_day }) => alerts_per_day.value,
  alert_rate: ({ alerts_per_day: { value } }, { counts, window }) =>
    value === null || counts.rows === 0 ? null : (value * window.days) / counts.rows,
};

/** A gate of the model's releases over old and new thresholds, on the feedback that the proposal was made from. */
export interface ProposalGate {
  gate: string;
  required: string;
  old: number | null;
  new: number | null;
  /** whether the new thresholds pass it */
  passed: boolean;
  message: string;
}

/** What the release's own gates say of proposed thresholds; gates of other metrics say nothing of thresholds. */
export function gatesOfProposal(summary: ThresholdSummary, gates: readonly Gate[]): ProposalGate[] {
  const asked = gates.filter(({ metric }) => Object.hasOwn(FIGURES, metric));
  const checks = (side: 'old' | 'new'): CheckResult[] => evaluateGates(metricsOf(summary, side), asked);
  const before = checks('old');
  return checks('new').map(({ name, required, observed, passed, message }, index) => ({
    ...{ gate: name, required, old: before[index]?.observed ?? null, new: observed, passed, message },
  }));
}

/** Titles first: the Temporal UI and the command line show the same. */
export function gateLines(gates: readonly ProposalGate[]): string[][] {
  return [
    ["gate of the model's releases", 'required', 'old', 'new', 'passed'],
    ...gates.map((one) => [
      ...[one.gate, one.required, fourDigits(one.old), fourDigits(one.new), one.passed ? 'yes' : 'NO'],
    ]),
  ];
}

/** Gates that the new thresholds miss: an approval must override exactly these. */
export function missedGates(gates: readonly ProposalGate[]): string[] {
  return gates.filter(({ passed }) => !passed).map(({ gate }) => gate);
}

/** The words that override gates in a terminal; none for none: ` --override precision --override f1_score`. */
export function overrideWords(missed: readonly string[]): string {
  return missed.map((gate) => ` --override ${gate}`).join('');
}

/**
 * What is wrong with the gates that an approval overrides, and what to write instead; null: it overrides exactly those that are missed. A
 * gate too few would be let pass unseen, one too many is an approval of something else.
 */
export function overridesProblem(
  gates: readonly ProposalGate[],
  overrides: readonly string[],
  what = 'this proposal',
): string | null {
  const missed = missedGates(gates);
  const other = overrides.find((gate) => !missed.includes(gate));
  if (other === undefined && missed.every((gate) => overrides.includes(gate))) return null;
  const wrong = other === undefined ? '' : `/overrides names ${other}, which ${what} does not miss: `;
  if (missed.length === 0) return `${wrong}leave the overrides out`;
  const why = gates.filter(({ passed }) => !passed).map(({ message }) => message);
  return `${wrong}${what} misses ${missed.length === 1 ? 'a gate' : `${missed.length} gates`} of the model's releases (${why.join('; ')}). Reject it, or override exactly ${missed.length === 1 ? 'that' : 'those'}: "overrides": ${JSON.stringify(missed)} in the decision's JSON, in a terminal${overrideWords(missed)}; that needs the role overrider`;
}

/** Edits have figures of their own, so only names can be checked before these are known; null: nothing is wrong. */
export function unknownOverride(gates: readonly ProposalGate[], overrides: readonly string[]): string | null {
  const unknown = overrides.find((name) => gates.every(({ gate }) => gate !== name));
  if (unknown === undefined) return null;
  const known = gates.map(({ gate }) => gate).join(', ');
  return `/overrides names ${unknown}, which is no gate of this proposal: ${known === '' ? 'there is none' : known}`;
}

/** Missed gates that an approver let pass, as the record has every departure from the spec. */
export function overriddenGates(gates: readonly ProposalGate[]): OverrideChange[] {
  return gates
    .filter(({ passed }) => !passed)
    .map(({ gate, required, new: now }) => ({
      name: `gates.${gate}`,
      old: required,
      new: now === null ? 'not measured' : Number(now.toPrecision(4)),
      weakens: true,
    }));
}

function metricsOf(summary: ThresholdSummary, side: 'old' | 'new'): Metrics {
  const figures = summary.overall[side];
  return Object.fromEntries(Object.entries(FIGURES).map(([metric, figure]) => [metric, figure(figures, summary)]));
}
