/** What is kept or goes as a whole. Each kind (for refreshed artifacts: each job) has its own newest N. */
export interface StoredArtifact {
  kind: 'bundle' | 'incomplete bundle' | 'refreshed artifact' | 'snapshot';
  /** a bundle's version, `{key}/{job}` of a refresh, a snapshot's id */
  name: string;
  /** of which the newest N stay; null: there is no such thing as the newest of these */
  series: string | null;
  /** ISO */
  createdAt: string;
  objects: number;
  bytes: number;
}

export interface RetentionPolicy {
  /** so many of each series stay, however old */
  keep: number;
  /** what is younger stays, however many there are */
  olderThanDays: number;
  /** ISO */
  now: string;
}

export interface RetentionVerdict extends StoredArtifact {
  goes: boolean;
  /** why it stays; empty for what goes */
  why: string[];
}

const DAY_MS = 24 * 3600 * 1000;

/**
 * What goes: whatever is beyond the newest `keep` of its series, older than `olderThanDays`, and named by nothing. Oldest first.
 * @param namedBy why somebody still needs an artifact; empty when nobody does
 */
export function planRetention(
  artifacts: readonly StoredArtifact[],
  namedBy: (artifact: StoredArtifact) => readonly string[],
  policy: RetentionPolicy,
): RetentionVerdict[] {
  const horizon = Date.parse(policy.now) - policy.olderThanDays * DAY_MS;
  const newestFirst = [...artifacts].sort(
    (a, b) => b.createdAt.localeCompare(a.createdAt) || b.name.localeCompare(a.name),
  );
  const seen = new Map<string, number>();
  const verdicts = newestFirst.map((artifact): RetentionVerdict => {
    const { series } = artifact;
    const place = series === null ? Infinity : (seen.get(series) ?? 0) + 1;
    if (series !== null) seen.set(series, place);
    const why = [
      ...namedBy(artifact),
      ...(place <= policy.keep ? [`one of the newest ${policy.keep}`] : []),
      ...(Date.parse(artifact.createdAt) > horizon ? [`younger than ${policy.olderThanDays} days`] : []),
    ];
    return { ...artifact, goes: why.length === 0, why };
  });
  return verdicts.reverse();
}
