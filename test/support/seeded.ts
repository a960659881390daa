/** The same draws on every run. What fast-check prints of a failure (seed, path, shrunk steps) is enough to see it again. */
export function seeded(numRuns: number): { seed: number; numRuns: number } {
  return { seed: 20250630, numRuns };
}
