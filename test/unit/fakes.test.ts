import { describe } from 'vitest';
import type { BundleId } from '../../domain/bundle/id.js';
import { pointerContract } from '../contracts/pointer.contract.js';
import { registryContract } from '../contracts/registry.contract.js';
import { retrainingContract } from '../contracts/retraining.contract.js';
import { rolloutContract } from '../contracts/rollout.contract.js';
import { FakeDrift } from '../support/fake-drift.js';
import { FakeSystem } from '../support/fake-system.js';

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
