import type { SnapshotRef } from './types.js';

/** Rows that a model was trained, tuned and tested on. */
export type TrainedOn = Pick<SnapshotRef, 'from' | 'to' | 'rows' | 'positives'>;

/** A parameter of the training run, in the words of MLflow; null: that run had none of this name. */
export interface ParameterChange {
  name: string;
  champion: string | null;
  candidate: string | null;
}

/** Where a registered version comes from. */
export interface Provenance {
  /** pages of MLflow, without credentials; `run` null: it was deleted */
  links: { run: string | null; version: string };
}

/** What an approver asks of a candidate besides its figures. */
export interface CandidateProvenance extends Provenance {
  /** null: nothing is live */
  champion:
    | (Provenance & {
        bundle: string;
        /** `s3://bucket/prefix/` of the bundle's files, its model card among them */
        files: string;
        modelVersion: string;
        /** ISO */
        asOf: string;
        snapshotId: string;
        /** null: its snapshot has been deleted, or is damaged */
        data: TrainedOn | null;
      })
    | null;
  /** those that differ from the champion's, or, with nothing live, all; null: the champion's run has been deleted */
  parameters: ParameterChange[] | null;
}

/** More differences than these, and longer values, nobody compares by eye; the runs' pages have all. */
const MAX_PARAMETERS = 40;
const LONGEST_VALUE = 120;

/** How many rows fell into each part says the data's line; the number of threads changes no model. */
const NOT_OF_THE_MODEL = /^(rows_|threads$)/;

/** Parameters in which two training runs differ, by name. */
export function parameterChanges(
  champion: Readonly<Record<string, string>>,
  candidate: Readonly<Record<string, string>>,
): ParameterChange[] {
  const names = [...new Set([...Object.keys(champion), ...Object.keys(candidate)])].sort();
  return names
    .filter((name) => !NOT_OF_THE_MODEL.test(name) && champion[name] !== candidate[name])
    .slice(0, MAX_PARAMETERS)
    .map((name) => ({ name: cut(name), champion: valueOf(champion, name), candidate: valueOf(candidate, name) }));
}

/** All parameters of a run that has nothing to be compared with. */
export function shownParameters(candidate: Readonly<Record<string, string>>): ParameterChange[] {
  return parameterChanges({}, candidate);
}

function valueOf(values: Readonly<Record<string, string>>, name: string): string | null {
  const value = values[name];
  return value === undefined ? null : cut(value);
}

function cut(text: string): string {
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE - 1)}…`;
}
