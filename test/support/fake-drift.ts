import type { DriftActivities, RetrainingActivities } from '../../activities/drift/contract.js';
import type { DriftDay, DriftVerdict } from '../../domain/drift/day.js';
import type { RetrainingClaim } from '../../domain/retraining/claim.js';
import { actionFor, coolDownEnd, daysWithDrift, inCoolDown } from '../../domain/retraining/rule.js';

const RULE = { days: 3, of: 5, cooldown_days: 14 };

/** The drift activities in memory: a test says what a day's comparison comes to, the rule and the claims are as strict as the real ones. */
export class FakeDrift {
  readonly days = new Map<string, DriftDay>();
  readonly logged: string[] = [];
  readonly claims: RetrainingClaim[] = [];
  /** what a test sets */
  verdictOf = (_key: string): DriftVerdict => 'none';
  pressures: readonly string[] = ['alert_rate'];
  rows = 4000;
  /** awaited after a claim was made and before it is answered */
  afterClaim: (() => Promise<void>) | null = null;
  recordFails = 0;

  readonly activities: DriftActivities & RetrainingActivities = {
    compareWindow: ({ model, key, asOf, bundle }) => {
      const known = this.days.get(key);
      if (known !== undefined && known.reportKey !== null) return Promise.resolve(known);
      const verdict = this.verdictOf(key);
      const days = daysWithDrift([...this.days.values(), { asOf, verdict }], asOf, RULE.of);
      const day: DriftDay = {
        model,
        key,
        asOf,
        bundleVersion: bundle.version,
        modelVersion: '1',
        verdict,
        why: `${verdict} on ${key}`,
        rows: this.rows,
        featuresWithDrift: verdict === 'drift' ? ['a'] : [],
        psi: { a: verdict === 'drift' ? 0.4 : 0.01, score: null },
        alertRate: 0.03,
        alertRateRatio: 2,
        pressures: this.pressures,
        stalenessHours: 2,
        isStale: false,
        sustained: { days, required: RULE.days, of: RULE.of },
        action: actionFor(verdict, { daysWithDrift: days, pressures: this.pressures, isStale: false }, RULE),
        reportKey: verdict === 'inconclusive' ? null : `fraud/drift/${model}/${key}/report.json`,
        pageKey: verdict === 'inconclusive' ? null : `fraud/drift/${model}/${key}/report.html`,
      };
      const concluded = [...this.days.values()].filter((one) => one.reportKey !== null && one.asOf <= asOf);
      this.days.set(key, day);
      if (verdict !== 'inconclusive') return Promise.resolve(day);
      const newest = concluded.sort((a, b) => a.asOf.localeCompare(b.asOf)).at(-1);
      return Promise.resolve({ ...day, since: newest?.key ?? null });
    },
    snapshotWindow: ({ model, key, asOf }) =>
      Promise.resolve({
        model,
        key,
        asOf,
        rows: this.rows,
        snapshotKey: this.rows === 0 ? null : `fraud/drift/${model}/${key}/snapshot.json`,
        ...(this.rows === 0 ? { since: null } : {}),
        why: this.rows === 0 ? 'nothing was scored in the window' : `${this.rows} rows`,
      }),
    logDriftReport: ({ key }) => {
      if (!this.logged.includes(key)) this.logged.push(key);
      return Promise.resolve({ runId: `run-${key}`, url: `http://mlflow/#/${key}` });
    },
    claimRetraining: async ({ releaseId, asOf, reason, claimedAt }) => {
      const mine = this.claims.find((claim) => claim.releaseId === releaseId);
      const newest = this.claims.at(-1);
      let claim = mine ?? newest;
      const fresh = claim === undefined || (mine === undefined && !inCoolDown(asOf, claim.asOf, RULE.cooldown_days));
      if (fresh || claim === undefined) {
        claim = { releaseId, asOf, reason, claimedAt, startedAt: null };
        this.claims.push(claim);
      }
      const held: 'started' | 'cooling-down' = mine === undefined ? 'cooling-down' : 'started';
      const answer = {
        outcome: claim.startedAt === null ? ('start' as const) : held,
        claim: { ...claim },
        until: coolDownEnd(claim.asOf, RULE.cooldown_days),
      };
      await this.afterClaim?.();
      return answer;
    },
    recordRetraining: ({ releaseId, startedAt }) => {
      if (this.recordFails-- > 0) return Promise.reject(new Error('killed'));
      const claim = this.claims.find((one) => one.releaseId === releaseId);
      if (claim !== undefined) claim.startedAt ??= startedAt;
      return Promise.resolve();
    },
  };
}
