import { SluiceError } from '../../../platform/errors.js';
import { mustBeFinite, type ModelOutput } from '../model-output.js';

/** Rows of one caller, and who waits for their figures. */
export interface Job {
  features: Float32Array;
  rows: number;
  /** how often its run took the thread down: it is tried once more, then given up, for it may be the cause */
  crashes: number;
  resolve: (output: ModelOutput) => void;
  reject: (error: Error) => void;
}

/** What waits for the models, in the order in which it came. */
export class JobQueue {
  #jobs: Job[] = [];
  #rows = 0;

  /** of all jobs together */
  get rows(): number {
    return this.#rows;
  }

  get isEmpty(): boolean {
    return this.#jobs.length === 0;
  }

  add(job: Job): void {
    this.#jobs.push(job);
    this.#rows += job.rows;
  }

  putBack(job: Job): void {
    this.#jobs = [job, ...this.#jobs];
    this.#rows += job.rows;
  }

  /** The first jobs, up to so many rows; at least one, however long it is. */
  take(maxRows: number): Job[] {
    let rows = 0;
    let count = 0;
    for (const job of this.#jobs) {
      if (count > 0 && rows + job.rows > maxRows) break;
      rows += job.rows;
      count += 1;
    }
    const batch = this.#jobs.slice(0, count);
    this.#jobs = this.#jobs.slice(count);
    this.#rows -= rows;
    return batch;
  }

  refuseAll(why: string): void {
    const jobs = this.#jobs;
    this.#jobs = [];
    this.#rows = 0;
    for (const job of jobs) job.reject(new SluiceError('Unreachable', why));
  }
}

/** All rows of a batch, one job's after the other's. */
export function joined(jobs: readonly Job[]): Float32Array<ArrayBuffer> {
  const features = new Float32Array(jobs.reduce((sum, job) => sum + job.features.length, 0));
  let offset = 0;
  for (const job of jobs) {
    features.set(job.features, offset);
    offset += job.features.length;
  }
  return features;
}

/** Gives each job its part of a batch's figures. */
export function answer(jobs: readonly Job[], { scores, anomalies }: ModelOutput): void {
  let row = 0;
  for (const job of jobs) {
    settle(job, scores.subarray(row, row + job.rows), anomalies.subarray(row, row + job.rows));
    row += job.rows;
  }
}

function settle(job: Job, scores: Float32Array, anomalies: Float32Array): void {
  try {
    mustBeFinite({ scores, anomalies });
    job.resolve({ scores, anomalies });
  } catch (error) {
    job.reject(error as Error);
  }
}
