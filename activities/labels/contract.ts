/** A label on its way to the database; times are ISO. */
export interface LabelRow {
  transaction_id: string;
  is_fraud: boolean;
  labeled_at: string;
  /** where it comes from; `file`, if left out */
  source?: string;
}

/** What recording one batch of labels did; the counts are those of `stores/labels.ts`. */
export interface RecordedBatch {
  recorded: number;
  unchanged: number;
  older: number;
  transactions_updated: number;
  unknown_transactions: number;
  /** the first of their ids; absent: there are none, or an older worker answered */
  unknown_ids?: string[];
  refused: { index: number; path: string; message: string; value: string }[];
}

/** queue `release` */
export interface LabelActivities {
  /**
   * Records a batch of labels, all or none of what is not refused, in one transaction of the database. Asked again for the same batch, it
   * records nothing and answers as the first time.
   */
  recordLabels(input: {
    model: string;
    /** names the batch for ever */
    batchId: string;
    labels: LabelRow[];
    actor: string;
  }): Promise<RecordedBatch>;
}
