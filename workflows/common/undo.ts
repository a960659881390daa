import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import type { RunProgress } from './contract.js';
import { reasonOf } from './reason.js';
import type { Run } from './run.js';
import { Undos } from './unwind.js';

/** What a failed run takes back, newest first. */
export class UndoStack extends Undos {
  /** Runs every undo, also in a cancelled run. One that fails does not stop the others, notifies people, and ends the run as UndoFailed. */
  async run(run: Pick<Run<string, RunProgress>, 'notifyAsBefore'>): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      const failures = (await this.unwind()).map(({ name, error }) => `${name}: ${reasonOf(error)}`).join('; ');
      if (failures === '') return;
      const { workflowId } = workflowInfo();
      await run.notifyAsBefore('undoFailed', `${workflowId}/undo-failed`, { what: workflowId, failures });
      throw ApplicationFailure.nonRetryable(`undo failed: ${failures}`, 'UndoFailed');
    });
  }
}
