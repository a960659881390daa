import type { ArtifactOutcome, RefreshProgress, RefreshStatus } from './contract.js';

/**
 * What a finished refresh amounts to: the worst that happened names it, and `why` lists everything that did not go live although something
 * was the matter with it.
 * @param progress its `why`: what kept the artifacts that are `superseded` from going live
 */
export function conclude(progress: Pick<RefreshProgress, 'jobs' | 'decidedBy' | 'why'>): {
  status: RefreshStatus;
  why: string | null;
} {
  const artifacts = progress.jobs.flatMap((job) => job.artifacts);
  const named = (outcome: ArtifactOutcome): string[] =>
    artifacts.filter((artifact) => artifact.outcome === outcome).map(({ lookup }) => lookup);
  const failed = progress.jobs.flatMap(({ job, state, error }) => (state === 'failed' ? [`${job} (${error})`] : []));
  const reasons: [RefreshStatus, string[], string][] = [
    ['Incomplete', failed, 'failed'],
    ['Rejected', named('rejected'), `rejected by ${progress.decidedBy ?? 'nobody'}, not published`],
    ['Expired', named('expired'), 'not decided in time, not published'],
    ['Superseded', named('superseded'), `not published: ${progress.why}`],
    ['Superseded', named('older'), 'older than what is live, not published'],
  ];
  const given = reasons.filter(([, names]) => names.length > 0);
  const why = given.map(([, names, what]) => `${names.join(', ')} ${what}`).join('; ');
  const live = named('live');
  // An older artifact among others that went live is no fault of the run: somebody was faster. Who approved it should be given, though.
  const tolerated = live.length > 0 && progress.decidedBy === null && named('superseded').length === 0;
  const [worst] = given.filter(([status]) => status !== 'Superseded' || !tolerated);
  if (worst !== undefined) return { status: worst[0], why };
  if (live.length > 0) return { status: 'Refreshed', why: why === '' ? null : why };
  return { status: 'Unchanged', why: 'nothing changed: no new bundle' };
}
