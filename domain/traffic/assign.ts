import { createHash } from 'node:crypto';

/** Who answers a customer: the bundle that all had so far, or the one on trial. */
export type Arm = 'champion' | 'candidate';

/** How much of the traffic a candidate gets, and by which draw. */
export interface Split {
  /** share of the customers, 0 to 1 */
  weight: number;
  /** a new draw for each trial, so that not always the same customers are first */
  salt: string;
}

const STEPS = 2 ** 48;

/**
 * The arm of a customer: always the same for one draw, and once `candidate` it stays so while the weight rises.
 * @param split null: there is no candidate
 */
export function armOf(customerId: string, split: Split | null): Arm {
  if (split === null) return 'champion';
  return positionOf(customerId, split.salt) < split.weight ? 'candidate' : 'champion';
}

/** A customer's place in a draw: uniform in [0, 1), whatever ids look like. */
function positionOf(customerId: string, salt: string): number {
  // The length keeps a salt that ends like an id begins from giving another pair the same text.
  return createHash('sha256').update(`${salt.length}:${salt}${customerId}`).digest().readUIntBE(0, 6) / STEPS;
}
