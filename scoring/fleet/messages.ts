import { failureName, isFailureType, SluiceError } from '../../platform/errors.js';
import type { CatchUp } from '../control/pointer-follower.js';
import type { ReplicaState } from '../serving/control-view.js';
import type { ServingStatus } from '../serving/serving.js';
import type { Candidate, Origin } from '../traffic/serving-set.js';

/** An order to prepare a set, with every byte of its bundles: a process verifies them again and builds from what it verified. */
export interface SetMessage {
  origin: Origin;
  champion: BundleMessage;
  candidate: (Candidate & { bundle: BundleMessage }) | null;
}

export interface BundleMessage {
  version: string;
  manifest_sha256: string;
  raw: ReadonlyMap<string, Buffer>;
}

/** How a call ended. A SluiceError keeps its type on the way between processes. */
export type Outcome<T> = { value: T } | { failure: { type: string; message: string } };

/** What control calls in a serving process. */
export interface ProcessCalls {
  prepare(set: SetMessage): Promise<Outcome<void>>;
  switchTo(generation: number | null): Promise<Outcome<void>>;
  drop(generation: number | null): Promise<Outcome<void>>;
  listen(port: number): Promise<Outcome<string>>;
  status(): Promise<Outcome<ServingStatus>>;
  metrics(): Promise<Outcome<object[][]>>;
  drain(): Promise<Outcome<void>>;
  /** It ends by itself afterwards. */
  close(): Promise<Outcome<void>>;
}

/** What a serving process calls in control. */
export interface ControlCalls {
  /** It can be called from here on. */
  started(): void;
  state(): Promise<Outcome<ReplicaState>>;
  /** of all processes together */
  metrics(): Promise<Outcome<string>>;
  catchUp(): Promise<Outcome<CatchUp>>;
}

export async function outcomeOf<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { failure: { type: failureName(error) ?? 'Defect', message: (error as Error).message } };
  }
}

/** @throws SluiceError what the other side threw */
export function valueOf<T>(outcome: Outcome<T>): T {
  if ('value' in outcome) return outcome.value;
  const { type, message } = outcome.failure;
  throw new SluiceError(isFailureType(type) ? type : 'Defect', message);
}
