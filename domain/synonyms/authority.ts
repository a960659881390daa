/**
 * Where the file lies that domain experts edit, in the bucket. What is published there is what nightly jobs and releases take.
 * @param file the lookup's name in a bundle
 */
export function authorityKey(model: string, file: string): string {
  return `fraud/authority/${model}/${file}`;
}

/** Where a version of that file is kept when another takes its place. */
export function formerAuthorityKey(model: string, file: string, sha256: string): string {
  return `fraud/authority/${model}/former/${sha256.slice(0, 16)}/${file}`;
}
