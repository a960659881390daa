import { expect, it } from 'vitest';
import type { RetrainingActivities } from '../../activities/drift/contract.js';

type Claims = Pick<RetrainingActivities, 'claimRetraining' | 'recordRetraining'>;

/** What every record of retrainings must do, the one in MongoDB and the one that tests use. @param make nothing claimed; a cool-down of 14 days */
export function retrainingContract(make: () => Promise<{ activities: Claims; model: string }>): void {
  type Claim = Parameters<RetrainingActivities['claimRetraining']>[0];
  const claimOf = (model: string, day: number, changes: Partial<Claim> = {}): Claim => {
    const asOf = new Date(Date.UTC(2025, 5, day, 12)).toISOString();
    return { model, releaseId: `release-${day}`, asOf, reason: `drift on day ${day}`, claimedAt: asOf, ...changes };
  };
  const started = '2025-06-01T13:00:00.000Z';

  it('gives one claim to whoever asks again', async () => {
    const { activities, model } = await make();
    const first = await activities.claimRetraining(claimOf(model, 1));
    expect(first).toEqual({
      outcome: 'start',
      claim: {
        releaseId: 'release-1',
        asOf: '2025-06-01T12:00:00.000Z',
        reason: 'drift on day 1',
        claimedAt: '2025-06-01T12:00:00.000Z',
        startedAt: null,
      },
      until: '2025-06-15T12:00:00.000Z',
    });
    expect(await activities.claimRetraining(claimOf(model, 1))).toEqual(first);
  });

  it('hands an unstarted claim to the next day, and holds it back once the release runs', async () => {
    const { activities, model } = await make();
    await activities.claimRetraining(claimOf(model, 1));
    expect(await activities.claimRetraining(claimOf(model, 2))).toMatchObject({
      outcome: 'start',
      claim: { releaseId: 'release-1' },
    });
    await activities.recordRetraining({ model, key: 'a', releaseId: 'release-1', startedAt: started });
    await activities.recordRetraining({
      model,
      key: 'a',
      releaseId: 'release-1',
      startedAt: '2025-06-02T00:00:00.000Z',
    });
    const claim = { releaseId: 'release-1', startedAt: started };
    expect(await activities.claimRetraining(claimOf(model, 3))).toMatchObject({ outcome: 'cooling-down', claim });
    expect(await activities.claimRetraining(claimOf(model, 1))).toMatchObject({ outcome: 'started', claim });
  });

  it('claims anew after the cool-down, and not for a day before the newest claim', async () => {
    const { activities, model } = await make();
    await activities.claimRetraining(claimOf(model, 1));
    await activities.recordRetraining({ model, key: 'a', releaseId: 'release-1', startedAt: started });
    expect(await activities.claimRetraining(claimOf(model, 20))).toMatchObject({
      outcome: 'start',
      claim: { releaseId: 'release-20' },
    });
    await activities.recordRetraining({ model, key: 'b', releaseId: 'release-20', startedAt: started });
    expect(await activities.claimRetraining(claimOf(model, 18))).toMatchObject({
      outcome: 'cooling-down',
      claim: { releaseId: 'release-20' },
    });
    expect(await activities.claimRetraining(claimOf(model, 1))).toMatchObject({
      outcome: 'started',
      claim: { releaseId: 'release-1' },
    });
  });
}
