import { expect, it, vi } from 'vitest';
import type { ReplicaRegistry, ReplicaState } from '../../stores/replica-registry.js';

const LONG_MS = 60_000;
const SHORT_MS = 40;

const state = (instance: string, changes: Partial<ReplicaState> = {}): ReplicaState => ({
  instance,
  model: 'tiny',
  environment: 'production',
  address: 'http://127.0.0.1:1',
  generation: 1,
  version: 'v-1',
  manifest_sha256: 'a'.repeat(64),
  ...changes,
});

/** What every registry of replicas must do, the one in MongoDB and the one that tests use. @param make an empty registry */
export function replicaRegistryContract(make: () => ReplicaRegistry): void {
  it('renews the lease of the instance that joined, and writes what it says', async () => {
    const registry = make();
    expect(await registry.renew('r', state('a'), LONG_MS)).toBe('lapsed');
    expect(await registry.live('tiny', 'production')).toEqual([]);
    await registry.join('r', state('a'), LONG_MS);
    expect(await registry.renew('r', state('a', { generation: 2, version: '$v', address: '' }), LONG_MS)).toBe(
      'renewed',
    );
    const [record] = await registry.live('tiny', 'production');
    expect(record).toEqual({
      _id: 'r',
      ...state('a', { generation: 2, version: '$v', address: '' }),
      lease_until: expect.any(Date),
    });
  });

  it('gives the id to whoever joins last, and tells the other', async () => {
    const registry = make();
    await registry.join('r', state('a'), LONG_MS);
    await registry.join('r', state('b'), LONG_MS);
    expect(await registry.renew('r', state('a', { generation: 9 }), LONG_MS)).toBe('taken');
    expect(await registry.live('tiny', 'production')).toMatchObject([{ instance: 'b', generation: 1 }]);
    await registry.leave('r', 'a');
    expect(await registry.renew('r', state('b'), LONG_MS)).toBe('renewed');
    await registry.leave('r', 'b');
    expect(await registry.renew('r', state('a'), LONG_MS)).toBe('lapsed');
  });

  it('lets a lease run out, which nobody but a join brings back', async () => {
    const registry = make();
    await registry.join('r', state('a', { generation: 7 }), SHORT_MS);
    await vi.waitFor(async () => expect(await registry.live('tiny', 'production')).toEqual([]));
    expect(await registry.renew('r', state('a'), LONG_MS)).toBe('lapsed');
    expect(await registry.renew('r', state('b'), LONG_MS), 'a rival whose lease ran out').toBe('lapsed');
    expect(await registry.live('tiny', 'production')).toEqual([]);
    expect(await registry.newestGeneration('tiny', 'production'), 'alive or not').toBe(7);
    await registry.join('r', state('b'), LONG_MS);
    expect(await registry.live('tiny', 'production')).toMatchObject([{ _id: 'r', instance: 'b' }]);
  });

  it('lists the living by id, and keeps models and environments apart', async () => {
    const registry = make();
    await registry.join('b', state('1', { generation: 3 }), LONG_MS);
    await registry.join('a', state('2', { generation: 5 }), LONG_MS);
    await registry.join('c', state('3', { model: 'other', generation: 8 }), LONG_MS);
    await registry.join('d', state('4', { environment: 'staging', generation: 9 }), LONG_MS);
    expect((await registry.live('tiny', 'production')).map(({ _id }) => _id)).toEqual(['a', 'b']);
    expect(await registry.newestGeneration('tiny', 'production')).toBe(5);
    expect(await registry.newestGeneration('tiny', 'nowhere')).toBe(0);
  });

  it('never forgets the highest generation: not when its replica leaves, starts anew, or loses its id', async () => {
    const registry = make();
    await registry.join('a', state('1', { generation: 5 }), LONG_MS);
    await registry.renew('a', state('1', { generation: 6 }), LONG_MS);
    await registry.join('a', state('2', { generation: 0 }), LONG_MS);
    expect(await registry.newestGeneration('tiny', 'production')).toBe(6);
    await registry.renew('a', state('2', { generation: 2 }), LONG_MS);
    await registry.leave('a', '2');
    expect(await registry.newestGeneration('tiny', 'production')).toBe(6);
  });
}
