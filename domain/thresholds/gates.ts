import type { Gate } from '../../schemas/types.js';
import { evaluateGates } from '../gates/gates.js';
import { fourDigits } from '../release/comparison.js';
import type { CheckResult, Metrics } from '../release/types.js';
import type { ThresholdSummary } from './summary.js';

/** What a proposal has figures of, by the names that a release's gates use. */
const FIGURES = { precision: 'precision', recall: 'recall', f1_score: 'f1' } as const;

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
export function gatesOfProposal({ overall }: ThresholdSummary, gates: readonly Gate[]): ProposalGate[] {
  const asked = gates.filter(({ metric }) => metric in FIGURES);
  const checks = (side: 'old' | 'new'): CheckResult[] => evaluateGates(metricsOf(overall[side]), asked);
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

function metricsOf(figures: Record<(typeof FIGURES)[keyof typeof FIGURES], { value: number | null }>): Metrics {
  return Object.fromEntries(Object.entries(FIGURES).map(([metric, name]) => [metric, figures[name].value]));
}
