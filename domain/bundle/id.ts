/** A bundle, beyond doubt: its version's name and the digest of its manifest, which every other digest hangs on. */
export interface BundleId {
  version: string;
  manifestSha256: string;
}

/** The same pair as pointers, manifests and HTTP answers spell it. */
export function bundleIdOf({ version, manifest_sha256 }: { version: string; manifest_sha256: string }): BundleId {
  return { version, manifestSha256: manifest_sha256 };
}
