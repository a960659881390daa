import type { Pointer } from '../../schemas/types.js';

/** Where a model can be live: each has a pointer, and scorers that follow it. */
export const ENVIRONMENTS: readonly Pointer['environment'][] = ['production', 'staging'];
