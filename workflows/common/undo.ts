import { CancellationScope, rootCause } from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import { shortCalls } from './proxies.js';

/** What a failed run takes back, newest first. An undo is registered before its deed, so it must bear that the deed never happened. */
export class UndoStack {
  private readonly undos: { name: string; undo: () => Promise<void> }[] = [];

  before(name: string, undo: () => Promise<void>): void {
    this.undos.push({ name, undo });
  }

  /** The deeds are final: nothing is taken back any more. */
  clear(): void {
    this.undos.length = 0;
  }

  /** Runs every undo, also in a cancelled run. One that fails does not stop the others, pages someone, and ends the run as UndoFailed. */
  async run(workflowId: string): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      const failures: string[] = [];
      for (const { name, undo } of this.undos.splice(0).reverse()) {
        try {
          await undo();
        } catch (error) {
          failures.push(`${name}: ${rootCause(error) ?? String(error)}`);
        }
      }
      if (failures.length === 0) return;
      await shortCalls.notify({
        key: `${workflowId}/undo-failed`,
        severity: 'critical',
        title: `${workflowId}: an undo failed`,
        text: `By hand now: ${failures.join('; ')}`,
      });
      throw ApplicationFailure.nonRetryable(`undo failed: ${failures.join('; ')}`, 'UndoFailed');
    });
  }
}
