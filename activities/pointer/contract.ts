import type { PointerChange } from '../../domain/pointer/pointer.js';
import type { Pointer, PointerSwap } from '../../domain/release/types.js';

/** queue `release` */
export interface PointerActivities {
  readPointer(input: { model: string; environment: string }): Promise<Pointer | null>;
  /** Conditional put to `expectedGeneration + 1` plus its audit entry, once per `putId`. `expectedGeneration` 0 means: no pointer yet. */
  swapPointer(input: Omit<PointerChange, 'environment'> & { environment: string }): Promise<PointerSwap>;
}
