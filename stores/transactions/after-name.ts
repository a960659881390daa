/**
 * Where a BSON element's name ends, behind its zero: there its value begins.
 * @param at the element's type, which its name follows
 */
export function afterName(batch: Buffer, at: number): number {
  let end = at + 1;
  while (batch[end] !== 0) end++;
  return end + 1;
}
