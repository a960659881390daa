import { beforeAll, describe, expect, it } from 'vitest';
import { writePointerFile } from '../../domain/pointer/pointer.js';
import { STATUS_ATTRIBUTE } from '../../domain/runs/search-attributes.js';
import { bundleKey, pointerKey } from '../../stores/keys.js';
import { testSigner } from '../../test/support/live-tiny-bundle.js';
import { makeTinyBundle, TINY_MODEL, tinyPointer, type TinyBundle } from '../../test/support/tiny-bundle.js';
import { createLiveStateActivities, type LiveStateDeps } from './live-state.js';

const { signer, trustedKeys } = testSigner();
const where = { model: TINY_MODEL, environment: 'production' };
let bundle: TinyBundle;
beforeAll(async () => {
  bundle = await makeTinyBundle({ signer, patch: 6 });
});

/** @param waiting how each running release stands */
function world(waiting: (string | undefined)[]) {
  const objects = new Map<string, Buffer>([
    [pointerKey(TINY_MODEL, 'production'), writePointerFile(tinyPointer(bundle, 9), signer)],
    ...[...bundle.files].map(([name, bytes]): [string, Buffer] => [bundleKey(TINY_MODEL, bundle.version, name), bytes]),
  ]);
  const asked: string[] = [];
  const list = async function* ({ query }: { query: string }) {
    asked.push(query);
    for (const [index, status] of waiting.entries())
      yield await Promise.resolve({
        workflowId: `release/tiny/${index}`,
        typedSearchAttributes: { get: (key: unknown) => (key === STATUS_ATTRIBUTE ? status : undefined) },
      });
  };
  const version = (name: string, stage: string, tags = {}) => ({ version: name, stage, tags, runId: 'r', aliases: [] });
  const deps = {
    store: {
      get: (key: string) => Promise.resolve(objects.has(key) ? { bytes: objects.get(key), etag: 'e' } : null),
    },
    trustedKeys,
    verdicts: {
      of: ({ generation }: { generation: number }) => Promise.resolve(generation === 9 ? 'Successful' : null),
    },
    mlflow: {
      getAlias: (_name: string, alias: string) => Promise.resolve(alias === 'champion' ? '7' : null),
      modelVersions: () =>
        Promise.resolve([
          version('5', 'Production'),
          version('6', 'Archived'),
          version('7', 'Production'),
          version('8', 'Staging', { 'sluice.release': 'r8' }),
          version('9', 'Staging'),
        ]),
    },
    models: { load: () => Promise.resolve({ spec: { registered_name: 'registered' } }) },
    client: { workflow: { list } },
  } as unknown as LiveStateDeps;
  return { look: () => createLiveStateActivities(deps).lookAtLive(where), objects, asked };
}

describe('a look at what is live', () => {
  it('says what each part says: pointer, manifest, verdict, registry, and which changes run or wait', async () => {
    const { look, asked } = world(['Running', 'WaitingForApproval', undefined]);
    expect(await look()).toEqual({
      live: tinyPointer(bundle, 9),
      modelVersion: '7',
      verdict: 'Successful',
      champion: '7',
      challenger: null,
      production: ['5', '7'],
      staging: ['8'],
      underWay: [
        { workflowId: 'release/tiny/0', waits: false },
        { workflowId: 'release/tiny/1', waits: true },
        { workflowId: 'release/tiny/2', waits: false },
      ],
    });
    expect(asked).toEqual([
      "ExecutionStatus = 'Running' AND SluiceModel = 'tiny' AND WorkflowType IN ('releaseModel', 'rollbackRelease')",
    ]);
  });

  it('says that nothing is live, and refuses what is not signed', async () => {
    const { look, objects } = world([]);
    objects.set(bundleKey(TINY_MODEL, bundle.version, 'manifest.json'), Buffer.from('{}'));
    await expect(look()).rejects.toThrow(/digest/);
    objects.clear();
    expect(await look()).toBeNull();
  });
});
