/** One bundle that was live, and how it did; kept once per generation. */
export interface VerdictRecord {
  version: string;
  manifestSha256: string;
  generation: number;
  verdict: string;
}

/**
 * The bundle to go back to: the newest one that was live and smoked before the live bundle first was. Going back twice goes further
 * back, never forth again; a bundle that was undone has no good verdict and is never chosen.
 */
export function lastGood(
  records: readonly VerdictRecord[],
  live: { version: string; generation: number },
): VerdictRecord | null {
  const good = records.filter(({ verdict }) => verdict === 'Successful');
  const first = Math.min(
    live.generation,
    ...good.filter(({ version }) => version === live.version).map(({ generation }) => generation),
  );
  const earlier = good.filter(({ version, generation }) => version !== live.version && generation < first);
  return earlier.reduce<VerdictRecord | null>(
    (best, one) => (best === null || one.generation > best.generation ? one : best),
    null,
  );
}
