import { expect, it } from 'vitest';
import { validateBundleDocument } from '../../platform/bundle-validator.js';
import { MANIFEST_FACTS } from '../../test/support/manifest-facts.js';
import { BUNDLE_FILE } from './layout.js';
import { buildManifest } from './manifest.js';

it('is valid where the code was no Git checkout, as of an unpacked archive', () => {
  const { manifest } = buildManifest(
    MANIFEST_FACTS,
    new Map([BUNDLE_FILE.featureRegistry, BUNDLE_FILE.pipeline].map((name) => [name, Buffer.from(name)])),
  );
  expect(validateBundleDocument('manifest', manifest, 'manifest.json')).toMatchObject({ git_sha: '0000000' });
});
