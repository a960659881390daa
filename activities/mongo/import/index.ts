export { importFixings } from './fixings.js';
export { importTransactions } from './transactions.js';
export type { ImportProgress, ImportSummary } from './summary.js';
