import type { OperationInput } from '../common/operation.js';

export type { PublishedExpertFile } from '../../domain/lookups/expert-file.js';

export const WORKFLOW = 'publishExpertFile';
export const STEPS = ['authorise', 'publish'] as const;

/**
 * The largest file that is published, as gzip: 1 MB as base64, where Temporal takes 2 MB in one message. A table that people edit is far
 * smaller; 4 MB of one pack to about half of this.
 */
export const MAX_PACKED_BYTES = 750_000;

export function publishExpertFileId(model: string, operationId: string): string {
  return `expert-file/${model}/${operationId}`;
}

export interface PublishExpertFileInput extends OperationInput {
  model: string;
  lookup: string;
  /** gzip of the file, as base64 */
  packed: string;
  /** of the file */
  sha256: string;
  /** digest of the file that the edit began from, where the editor knows it */
  base?: string;
}

/** What the caller is authorised for; the proof covers it. */
export function publishOperation({ model, lookup, sha256 }: PublishExpertFileInput): string {
  return `publish-file ${model} ${lookup} ${sha256}`;
}
