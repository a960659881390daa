import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineSignal,
  defineUpdate,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { authorise, operationLog } from '../common/operation.js';
import { answered } from '../common/proxies.js';
import {
  BATCH_ROWS,
  BATCHES_PER_RUN,
  FINISH_SIGNAL,
  IDLE_MINUTES,
  importOperation,
  RECORD_UPDATE,
  type ImportLabelsInput,
  type ImportLabelsResult,
  type LabelBatch,
  type RecordedBatch,
} from './contract.js';

const recordBatch = defineUpdate<RecordedBatch, [LabelBatch]>(RECORD_UPDATE);
const finish = defineSignal(FINISH_SIGNAL);

/** Labels that somebody sends batch by batch. Batches come one after another; a history holds a bounded number of them. */
export async function importLabels(input: ImportLabelsInput): Promise<ImportLabelsResult> {
  const { model, caller, goesOn } = input;
  const log = operationLog(`Import labels of ${model}`, input, ['authorise', 'record']);
  let { batches, last } = goesOn ?? { batches: 0, last: null };
  const begun = batches;
  let authorised = goesOn !== undefined;
  let failure: Error | null = null;
  let finished = false;
  let recording = false;

  const full = (): boolean => batches - begun >= BATCHES_PER_RUN;

  setHandler(
    recordBatch,
    async ({ index, labels }) => {
      await condition(() => (authorised && !recording) || failure !== null);
      if (failure !== null) throw failure;
      // The sender did not hear the answer.
      if (index === batches - 1 && last !== null) return last;
      recording = true;
      try {
        const batchId = `${workflowInfo().workflowId}/${index}`;
        last = await answered.recordLabels({ model, batchId, labels, actor: caller.actor });
        batches = index + 1;
        return last;
      } catch (error) {
        failure = error as Error;
        throw error;
      } finally {
        recording = false;
      }
    },
    {
      validator: ({ index, labels }: LabelBatch) => {
        const why = refusalOf(index, labels, batches);
        if (why !== null) throw ApplicationFailure.nonRetryable(why, 'InvalidInput');
      },
    },
  );
  setHandler(finish, () => void (finished = true));

  if (!authorised) {
    try {
      await authorise(log, model, importOperation(input), input);
    } catch (error) {
      failure = error as Error;
      await condition(allHandlersFinished);
      throw error;
    }
    authorised = true;
  }
  const outcome = await log.run('record', async (): Promise<ImportLabelsResult['outcome'] | 'full'> => {
    for (;;) {
      const before = batches;
      const inTime = await condition(
        () => finished || full() || failure !== null || batches > before,
        `${IDLE_MINUTES} minutes`,
        { summary: 'The next batch, or nobody sends any more' },
      );
      await condition(allHandlersFinished);
      if (failure !== null) throw failure;
      if (finished) return 'finished';
      if (full()) return 'full';
      if (!inTime && batches === before) return 'abandoned';
    }
  });
  if (outcome === 'full' && last !== null)
    return continueAsNew<typeof importLabels>({ ...input, goesOn: { batches, last } });
  return { batches, outcome: outcome === 'full' ? 'finished' : outcome };
}

function refusalOf(index: number, labels: LabelBatch['labels'], batches: number): string | null {
  if (!Array.isArray(labels) || labels.length === 0 || labels.length > BATCH_ROWS)
    return `/labels must have 1 to ${BATCH_ROWS} rows`;
  return index === batches || index === batches - 1 ? null : `/index is ${index}; the next batch is ${batches}`;
}
