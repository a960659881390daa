/** What a deletion did: ids and digests, nothing of what the transactions said. */
export interface DeletedTransaction {
  id: string;
  sha256: string;
}

/** queue `release` */
export interface TransactionActivities {
  /** @throws SluiceError NotFound, naming the ids that are not there */
  requireTransactions(input: { model: string; ids: string[] }): Promise<void>;
  /** Deletes transactions and records who wanted it; asked again, answers as the first time. */
  deleteTransactions(input: {
    model: string;
    ids: string[];
    /** names the request for ever */
    operationId: string;
    actor: string;
    reason: string;
    /** from the workflow's clock; ISO */
    at: string;
  }): Promise<DeletedTransaction[]>;
}
