import type { ThresholdProposal } from '../../schemas/types.js';

/** This many categories are shown in full; the proposal's file has them all. */
const SHOWN_CATEGORIES = 25;

/** Where a proposal and its thresholds lie in the bucket. */
export interface ProposalPlaces {
  proposalKey: string;
  proposalSha256: string;
  thresholdsKey: string;
  thresholdsSha256: string;
}

/** A proposal as history, the UI and the command line carry it: the figures people look at, and the digests of all the rest. */
export type ThresholdSummary = ProposalPlaces &
  Pick<
    ThresholdProposal,
    | 'model'
    | 'key'
    | 'as_of'
    | 'environment'
    | 'model_version'
    | 'base'
    | 'window'
    | 'counts'
    | 'operating'
    | 'costs'
    | 'edited'
    | 'overall'
    | 'categories'
    | 'budgets'
    | 'backtest'
    | 'notes'
  > & {
    method: string;
    /** false: the new thresholds are the old ones to the last digit */
    changed: boolean;
    /** every category that may have a threshold of its own */
    category_names: string[];
    /** thresholds that differ, by name */
    changes: { name: string; old: number | null; new: number | null }[];
  };

export function summarise(proposal: ThresholdProposal, places: ProposalPlaces, changed: boolean): ThresholdSummary {
  const { intervals, old: _old, new: _new, categories, ...rest } = proposal;
  return {
    ...places,
    ...rest,
    method: intervals.method,
    changed,
    categories: categories.slice(0, SHOWN_CATEGORIES),
    changes: changesOf(proposal),
    category_names: categories.map(({ category }) => category as string).sort(),
  };
}

/** An audit entry has room for this many. */
const AUDITED_CHANGES = 200;

/** Old and new thresholds that differ, for the audit entry: the overall one first. */
function changesOf({ overall, categories, budgets }: ThresholdProposal): ThresholdSummary['changes'] {
  const operating = [overall, ...categories].map(({ category, threshold }) => ({
    name: category === null ? 'operating' : `operating/${category}`,
    ...threshold,
  }));
  const spent = budgets.map(({ name, ...budget }) => ({
    name: `budget/${name}`,
    old: budget.old?.threshold ?? null,
    new: budget.new?.threshold ?? null,
  }));
  return [...operating, ...spent].filter((one) => one.old !== one.new).slice(0, AUDITED_CHANGES);
}
