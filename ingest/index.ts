export { importFixings } from './fixings.js';
export { importLabels, type LabelSummary } from './labels.js';
export { importTransactions } from './transactions.js';
export type { ImportProgress, ImportSummary } from './summary.js';
