import { CancellationScope } from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import { shortCalls } from './proxies.js';
import { reasonOf } from './reason.js';
import { Undos } from './unwind.js';

/** What a failed run takes back, newest first. */
export class UndoStack extends Undos {
  /** Runs every undo, also in a cancelled run. One that fails does not stop the others, notifies people, and ends the run as UndoFailed. */
  async run(workflowId: string): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      const failures = (await this.unwind()).map(({ name, error }) => `${name}: ${reasonOf(error)}`).join('; ');
      if (failures === '') return;
      await shortCalls.notify({
        key: `${workflowId}/undo-failed`,
        severity: 'critical',
        title: `${workflowId}: an undo failed`,
        text: `Manual action needed: ${failures}`,
      });
      throw ApplicationFailure.nonRetryable(`undo failed: ${failures}`, 'UndoFailed');
    });
  }
}
