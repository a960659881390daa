import { beforeAll, describe, expect, it } from 'vitest';
import { validateBundleDocument } from '../../platform/bundle-validator.js';
import { readFrom, testSigner } from '../../test/support/live-tiny-bundle.js';
import {
  makeTinyBundle,
  TINY_MODEL,
  tinyExpectation,
  tinyProfile,
  type TinyBundle,
  type TinyOptions,
} from '../../test/support/tiny-bundle.js';
import { signEnvelope } from '../dsse/dsse.js';
import { readableJson, sha256Hex } from './digest.js';
import { MANIFEST_PAYLOAD_TYPE } from './layout.js';
import { loadBundle, type LoadOptions } from './load.js';
import { contentSha256 } from './manifest.js';

const { signer, trustedKeys } = testSigner();
let good: TinyBundle;
beforeAll(async () => {
  good = await makeTinyBundle({ signer });
});

const load = (bundle: TinyBundle, changes: Partial<LoadOptions> = {}) =>
  loadBundle(readFrom(bundle), {
    model: TINY_MODEL,
    version: bundle.version,
    manifestSha256: bundle.manifestSha256,
    trustedKeys,
    expected: tinyExpectation,
    validate: validateBundleDocument,
    ...changes,
  });
/** The good bundle with one file as it should not be. */
const tampered = (file: string, change: (bytes: Buffer) => Buffer): TinyBundle => ({
  ...good,
  files: new Map([...good.files].map(([name, bytes]) => [name, name === file ? change(bytes) : bytes])),
});
const refusal = async (bundle: TinyBundle, changes?: Partial<LoadOptions>) => {
  const error = await load(bundle, changes).then(
    () => expect.fail('the bundle was accepted'),
    (e: unknown) => e as Error,
  );
  expect(error.name).toBe('IntegrityError');
  expect(error.message).toContain(good.version);
  return error.message;
};
/** A bundle signed by the right key whose content is wrong. */
const signed = (replace: NonNullable<TinyOptions['replace']>) => makeTinyBundle({ signer, replace });
const parsed = (file: string) => JSON.parse((good.files.get(file) as Buffer).toString()) as Record<string, unknown>;
/** The good bundle with another manifest, signed by the right key. */
const withManifest = (change: (manifest: Record<string, unknown>) => void): TinyBundle => {
  const manifest = parsed('manifest.json');
  change(manifest);
  const bytes = readableJson(manifest);
  const files = new Map(good.files)
    .set('manifest.json', bytes)
    .set('manifest.sig', readableJson(signEnvelope(MANIFEST_PAYLOAD_TYPE, bytes, signer)));
  return { ...good, manifestSha256: sha256Hex(bytes), files };
};

describe('loading a bundle', () => {
  it('gives every part, verified', async () => {
    const bundle = await load(good);
    expect(bundle.manifest.version).toBe(good.version);
    expect(bundle.pipelineOnnx).toEqual(good.files.get('pipeline.onnx'));
    expect(Object.keys(bundle.lookups).sort()).toEqual(['kinds', 'merchants', 'rates', 'stats']);
    expect(bundle.lookupVersions['rates']?.rows).toBe(1000);
    expect(bundle.golden.raw).toHaveLength(8);
  });

  it('takes a bundle pinned by hand on its signature alone', async () => {
    const bundle = await load(good, { version: null, manifestSha256: null });
    expect(bundle.version).toBe(good.version);
    expect(bundle.manifestSha256).toBe(good.manifestSha256);
  });

  it('refuses any changed byte of any file', async () => {
    for (const file of good.files.keys()) {
      const flipped = tampered(file, (bytes) => {
        const copy = Buffer.from(bytes);
        copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1;
        return copy;
      });
      expect(await refusal(flipped), file).toMatch(
        file === 'manifest.sig' ? /manifest\.sig/ : new RegExp(file.replaceAll('.', '\\.')),
      );
      expect(await refusal(tampered(file, (bytes) => bytes.subarray(0, -3))), file).toContain(file.split('.')[0]);
    }
  });

  it('refuses the wrong key, version, model and digest', async () => {
    expect(await refusal(good, { trustedKeys: testSigner().trustedKeys })).toContain('signature');
    expect(await refusal(good, { trustedKeys: new Map() })).toContain('0 trusted keys');
    expect(await refusal(good, { manifestSha256: '0'.repeat(64) })).toContain('manifest.json has digest');
    const other = await makeTinyBundle({ signer, patch: 1 });
    await expect(load(other, { version: good.version })).rejects.toThrow(`its manifest is of version ${other.version}`);
    await expect(load(good, { model: 'other' })).rejects.toThrow('its manifest is of model tiny');
  });

  it("refuses another bundle's signature", async () => {
    const other = await makeTinyBundle({ signer, patch: 1 });
    expect(await refusal(tampered('manifest.sig', () => other.files.get('manifest.sig') as Buffer))).toContain(
      'signs other bytes',
    );
    expect(await refusal(tampered('manifest.sig', () => Buffer.from('no')))).toContain('manifest.sig is not JSON');
  });

  it('refuses a file too few', async () => {
    const needed = [...tinyExpectation.needed, 'more.json'];
    expect(await refusal(good, { expected: { ...tinyExpectation, needed } })).toContain('lacks more.json');
    const missing = { ...good, files: new Map([...good.files].filter(([name]) => name !== 'rates.json')) };
    await expect(load(missing), 'what the reader says passes through').rejects.toThrow('rates.json is missing');
  });

  it('takes, and verifies, files that today nobody asks for', async () => {
    const more = await signed({ 'more.json': Buffer.from('{}') });
    expect((await load(more)).files.get('more.json')?.toString()).toBe('{}');
    const changed = { ...more, files: new Map(more.files).set('more.json', Buffer.from('[]')) };
    await expect(load(changed)).rejects.toThrow('more.json has digest');
    for (const name of ['../more.json', 'a/b.json', '.hidden', 'manifest.json', ''])
      expect(
        await refusal(
          withManifest((manifest) =>
            Object.assign(manifest['files'] as object, { [name]: { sha256: '0'.repeat(64), bytes: 0 } }),
          ),
        ),
        name,
      ).toContain('invalid file name');
  });

  it('gives the reference profile where there is one, checked', async () => {
    expect((await load(good)).profile).toBeNull();
    const bundle = await load(await signed({ 'reference_profile.json': readableJson(tinyProfile) }));
    expect(bundle.profile).toEqual(tinyProfile);
    await expect(load(await signed({ 'reference_profile.json': Buffer.from('{}') }))).rejects.toThrow(
      /reference_profile\.json.*'rows'/,
    );
  });

  it('names the field where a file breaks its schema, though it is signed', async () => {
    const bad = readableJson({ x: [0, 1], y: [0, 2] });
    const bundle = await signed({ 'isotonic.json': bad });
    await expect(load(bundle)).rejects.toThrow(/isotonic\.json.*\/y\/1/);
    await expect(load(await signed({ 'isotonic.json': readableJson({ x: [1, 0], y: [0, 1] }) }))).rejects.toThrow(
      'x does not rise',
    );
    await expect(load(await signed({ 'isotonic.json': readableJson({ x: [0, 1, 2], y: [0, 1] }) }))).rejects.toThrow(
      'differ in length',
    );
    await expect(load(await signed({ 'isotonic.json': Buffer.from('{') }))).rejects.toThrow(
      'isotonic.json is not JSON',
    );
    await expect(load(await signed({ 'request_schema.json': readableJson({ type: 'nonsense' }) }))).rejects.toThrow(
      /request_schema\.json.*JSON Schema/,
    );
  });

  it('refuses parts that do not belong together, though they are signed', async () => {
    const stale = await makeTinyBundle({ signer, eurRate: 2 });
    await expect(
      load(await signed({ 'rates.version.json': stale.files.get('rates.version.json') as Buffer })),
    ).rejects.toThrow('rates.version.json describes another rates.json');
    const golden = { ...parsed('golden_vectors.json'), feature_names: ['a', 'b'] };
    await expect(load(await signed({ 'golden_vectors.json': readableJson(golden) }))).rejects.toThrow('another order');
    const registry = { ...parsed('feature_registry.json'), model: 'other' };
    await expect(load(await signed({ 'feature_registry.json': readableJson(registry) }))).rejects.toThrow(
      'is of model other',
    );
    for (const field of ['onnx_sha256', 'feature_registry_sha256', 'content_sha256'])
      expect(await refusal(withManifest((manifest) => (manifest[field] = '1'.repeat(64)))), field).toContain(
        `the manifest's ${field}`,
      );
    expect(await refusal(withManifest((manifest) => (manifest['surprise'] = true)))).toContain(
      '/surprise is not a known key',
    );
  });
});

describe('content digest', () => {
  it('follows the files that decide a score, and only those', async () => {
    const files = (await load(good)).manifest.files;
    const other = { sha256: '1'.repeat(64), bytes: 1 };
    for (const name of Object.keys(files)) {
      const same = contentSha256({ ...files, [name]: other }) === contentSha256(files);
      expect(same, name).toBe(
        name === 'model_card.md' || name === 'golden_vectors.json' || name.endsWith('.version.json'),
      );
    }
    expect(contentSha256({ ...files, 'reference_profile.json': other })).toBe(contentSha256(files));
  });
});
