import { generateKeyPairSync } from 'node:crypto';
import { pino } from 'pino';
import type { Signer, TrustedKeys } from '../../domain/dsse/dsse.js';
import { fetchBundle, type Trust } from '../../scoring/control/bundle-source.js';
import { openBundle, type OpenOptions } from '../../scoring/bundles/open-bundle.js';
import type { ServingSet } from '../../scoring/traffic/serving-set.js';
import { readTreeImage } from '../../scoring/bundles/kernel/tree-models.js';
import { kernelWasm } from './kernel-wasm.js';
import { onnxThreadFile } from './onnx-thread.js';
import {
  makeTinyBundle,
  TINY_MODEL,
  tinyExpectation,
  tinyPointer,
  tinySpec,
  type TinyBundle,
  type TinyOptions,
} from './tiny-bundle.js';

export function testSigner(): { signer: Signer; trustedKeys: TrustedKeys } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { signer: { keyid: 'test-key', privateKey }, trustedKeys: new Map([['test-key', publicKey]]) };
}

export const silent = pino({ level: 'silent' });
export const openOptions: OpenOptions = {
  spec: tinySpec,
  log: silent,
  threadFile: onnxThreadFile(),
  readImage: (models) => Promise.resolve(readTreeImage(models)),
  wasm: kernelWasm(),
};

export function tinyTrust(trustedKeys: TrustedKeys): Trust {
  return { model: TINY_MODEL, environment: 'production', trustedKeys, expected: tinyExpectation };
}

export function readFrom(bundle: TinyBundle): (name: string) => Promise<Buffer> {
  return (name) => {
    const bytes = bundle.files.get(name);
    return bytes === undefined ? Promise.reject(new Error(`${name} is missing`)) : Promise.resolve(bytes);
  };
}

/** A tiny bundle, verified, opened and served as a scorer does it. */
export async function openTiny(
  options: Partial<TinyOptions> & { generation?: number } = {},
  readImage = openOptions.readImage,
): Promise<ServingSet> {
  const { signer, trustedKeys } = testSigner();
  const bundle = await makeTinyBundle({ signer, ...options });
  const fetched = await fetchBundle(readFrom(bundle), tinyTrust(trustedKeys), {
    version: bundle.version,
    manifest_sha256: bundle.manifestSha256,
  });
  const generation = options.generation ?? 1;
  const pointer = tinyPointer(bundle, generation);
  return {
    origin: { from: 'store', generation, environment: 'production', pointer },
    champion: await openBundle(fetched.loaded, { ...openOptions, ...(readImage && { readImage }) }),
    candidate: null,
    since: new Date().toISOString(),
  };
}
