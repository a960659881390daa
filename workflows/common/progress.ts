/** One step as the client and the UI show it. Times are ISO, from the workflow's clock. */
export interface StepProgress {
  name: string;
  status: 'pending' | 'running' | 'done' | 'failed' | 'skipped';
  startedAt: string | null;
  finishedAt: string | null;
  detail: string | null;
  /** the steps of the run that it waits for, a rollout's; older runs list those beside their own */
  steps?: readonly StepProgress[];
}

/** A step with its place: names of the steps above it, itself last. */
export interface PlacedStep {
  step: StepProgress;
  path: string;
  depth: number;
}

/** Steps in the order in which they are shown, those of a step below it. */
export function flattenSteps(steps: readonly StepProgress[], above: readonly string[] = []): PlacedStep[] {
  return steps.flatMap((step) => {
    const path = [...above, step.name];
    return [{ step, path: path.join(' / '), depth: above.length }, ...flattenSteps(step.steps ?? [], path)];
  });
}

/** The steps of a run in order, kept as plain data so that a query can return it. */
export class StepLog {
  readonly steps: StepProgress[];

  constructor(
    names: readonly string[],
    private readonly changed: () => void,
  ) {
    this.steps = names.map((name) => ({ name, status: 'pending', startedAt: null, finishedAt: null, detail: null }));
  }

  /** Runs one step: its start, end and failure are recorded; `detail` turns its result into one line. */
  async run<T>(name: string, work: () => Promise<T>, detail?: (result: T) => string): Promise<T> {
    const step = this.find(name);
    // In another round, what is below it begins anew.
    delete step.steps;
    Object.assign(step, { status: 'running', startedAt: step.startedAt ?? new Date().toISOString(), finishedAt: null });
    this.changed();
    try {
      const result = await work();
      Object.assign(step, {
        status: 'done',
        finishedAt: new Date().toISOString(),
        detail: detail?.(result) ?? step.detail,
      });
      return result;
    } catch (error) {
      Object.assign(step, { status: 'failed', finishedAt: new Date().toISOString() });
      throw error;
    } finally {
      this.changed();
    }
  }

  /** Shows what a child did below the step that waited for it, which has failed where one of the child's has. */
  nest(name: string, steps: readonly StepProgress[]): void {
    const step = this.find(name);
    step.steps = steps;
    if (steps.some(({ status }) => status === 'failed')) step.status = 'failed';
    this.changed();
  }

  /** What never began is shown as skipped once the run is over. */
  close(): void {
    for (const step of this.steps) if (step.status === 'pending') step.status = 'skipped';
    this.changed();
  }

  private find(name: string): StepProgress {
    const step = this.steps.find((candidate) => candidate.name === name);
    if (step === undefined) throw new Error(`no step is called ${name}`);
    return step;
  }
}
