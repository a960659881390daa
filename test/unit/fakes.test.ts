import { describe, expect } from 'vitest';
import type { BundleId } from '../../domain/bundle/id.js';
import { pointerContract } from '../contracts/pointer.contract.js';
import { recomposeContract, recomposeLookupsContract, type RecomposeWorld } from '../contracts/recompose.contract.js';
import { registryContract } from '../contracts/registry.contract.js';
import { retrainingContract } from '../contracts/retraining.contract.js';
import { rolloutContract } from '../contracts/rollout.contract.js';
import { FakeDrift } from '../support/fake-drift.js';
import { FakeRefresh } from '../support/fake-refresh.js';
import { FakeSystem } from '../support/fake-system.js';
import { FakeThresholds } from '../support/fake-thresholds.js';

// The same cases as the real ones: test/integration/contracts.integration.test.ts.

const model = 'ulb_gbdt';

function withBundles(): { system: FakeSystem; bundles: [BundleId, BundleId, BundleId] } {
  const system = new FakeSystem();
  const publish = (version: string): BundleId => {
    const { manifestSha256 } = system.publish(version);
    return { version, manifestSha256 };
  };
  return { system, bundles: [publish('v1'), publish('v2'), publish('v3')] };
}

describe('the pointer that tests use', () => {
  pointerContract(() => {
    const { system, bundles } = withBundles();
    return Promise.resolve({ activities: system.activities, model, bundles });
  });
});

describe('the registry that tests use', () => {
  registryContract(() => {
    let runs = 0;
    const run = () => Promise.resolve(`run-${(runs += 1)}`);
    return Promise.resolve({ activities: new FakeSystem().activities, model, run });
  });
});

describe('the record of rollouts that tests use', () => {
  rolloutContract(() => {
    const { system, bundles } = withBundles();
    const goLive = ({ version }: BundleId) => Promise.resolve(system.goLive(version));
    return Promise.resolve({ activities: system.activities, model, bundles, goLive });
  });
});

describe('the record of retrainings that tests use', () => {
  retrainingContract(() => Promise.resolve({ activities: new FakeDrift().activities, model }));
});

describe('the recomposition of lookups that tests use', () => {
  const make = (): Promise<RecomposeWorld> => {
    const { system, bundles } = withBundles();
    const [live] = bundles;
    const jobs = new FakeRefresh(system);
    const asOf = '2025-06-30T00:00:00.000Z';
    jobs.lookups.set(live.version, { 'fx_rates.json': { sha256: 'content 1', asOf } });
    return Promise.resolve({
      activities: jobs.activities,
      model,
      live,
      store: async (until, content) => {
        jobs.contentOf = () => `content ${content}`;
        const input = { model, key: until.slice(0, 10), asOf: until, live };
        const [made] = await jobs.activities.refreshFxRates(input);
        const { file, objectKey, sha256, versionKey } = made ?? expect.fail('no artifact');
        return { file, objectKey, sha256, versionKey };
      },
    });
  };
  recomposeContract(make);
  recomposeLookupsContract(make);
});

describe('the recomposition of thresholds that tests use', () => {
  recomposeContract(() => {
    const { system } = withBundles();
    const fake = new FakeThresholds(system, '');
    fake.goLive('live');
    const live = { version: 'live', manifestSha256: system.publish('live').manifestSha256 };
    return Promise.resolve({
      activities: fake.activities,
      model,
      live,
      store: async (asOf) => {
        const input = { model, key: '2025-06-30', asOf, environment: 'production', live };
        const made = await fake.activities.proposeThresholds(
          input as Parameters<typeof fake.activities.proposeThresholds>[0],
        );
        return {
          file: 'per_category_thresholds.json',
          objectKey: made.thresholdsKey,
          sha256: made.thresholdsSha256,
          versionKey: null,
        };
      },
    });
  });
});
