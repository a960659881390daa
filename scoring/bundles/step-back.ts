import { constants, setPriority } from 'node:os';

/**
 * Lets the thread that calls it wait for those that answer requests, where all share a core: opening a bundle computes for a fifth of a second.
 * On Linux a priority is a thread's own; elsewhere it would be the process's, and nothing is done.
 */
export function stepBack(): void {
  if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
}
