/** The null policy's value as the model saw it, in float32; NaN, which equals nothing, where there is none. */
export function missingAsSeen(missingValue: number | null): number {
  return missingValue === null ? NaN : Math.fround(missingValue);
}

/** Whether a value is there: a number that a float32 can hold, for no other reached the model, and not the one that stands for missing. */
export function isPresent(value: number, asMissing: number): boolean {
  const seen = Math.fround(value);
  return Number.isFinite(seen) && seen !== asMissing;
}
