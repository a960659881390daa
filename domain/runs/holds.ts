/**
 * What a run that needs no bundle at the moment writes into `SluiceHolds`. An empty list would be no value at all, and no value means that
 * the run has not said anything: it began before runs said so, or has not had its first turn yet.
 */
const NOTHING = 'none';

/** The value of `SluiceHolds` for these bundle versions. */
export function holdsValue(versions: Iterable<string>): string[] {
  const unique = [...new Set(versions)];
  return unique.length === 0 ? [NOTHING] : unique;
}

/** The bundle versions in a value of `SluiceHolds`; null where the run has not said. */
export function heldVersions(value: readonly string[] | undefined): string[] | null {
  if (value === undefined || value.length === 0) return null;
  return value.filter((version) => version !== NOTHING);
}
