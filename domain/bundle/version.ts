/** The parts of a bundle's name, `{YYYYMMDD-HHMMSS}-{semver}-{gitsha7}`. No Node built-ins here: workflows may use it. */
export interface BundleVersion {
  /** UTC, to the second */
  createdAt: string;
  major: number;
  minor: number;
  patch: number;
  gitSha7: string;
}

/** A name that cannot be made or read. */
export class VersionError extends Error {
  override readonly name = 'InvalidInput';
}

/** Stands for the commit of code that is no Git checkout: an unpacked archive. */
export const NO_GIT_SHA = '0000000';
const PATTERN = /^(\d{4})(\d{2})(\d{2})-(\d{2})(\d{2})(\d{2})-(\d+)\.(\d+)\.(\d+)-([0-9a-f]{7})$/;

/**
 * @param createdAt ISO time; only its UTC second goes into the name
 * @param gitSha full or short; anything that is not a commit (no Git there) becomes zeros
 */
export function formatBundleVersion(createdAt: string, semver: string, gitSha: string): string {
  const time = new Date(createdAt);
  if (Number.isNaN(time.getTime())) throw new VersionError(`createdAt is not a time: ${createdAt}`);
  const stamp = time.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const sha = /^[0-9a-f]{7,}/.test(gitSha) ? gitSha.slice(0, 7) : NO_GIT_SHA;
  const version = `${stamp}-${semver}-${sha}`;
  parseBundleVersion(version);
  return version;
}

export function parseBundleVersion(version: string): BundleVersion {
  const match = PATTERN.exec(version);
  if (match === null)
    throw new VersionError(`${JSON.stringify(version)} is not a bundle version like 20250630-120000-1.4.0-0a1b2c3`);
  const [, year, month, day, hour, minute, second, major, minor, patch, gitSha7] = match as unknown as string[];
  const createdAt = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  return { createdAt, major: Number(major), minor: Number(minor), patch: Number(patch), gitSha7: gitSha7 ?? '' };
}

/**
 * Major: the request contract; minor: a new model; patch: new artifacts around the same model.
 * @param parent the bundle that is replaced; null for the first
 */
export function nextSemver(parent: string | null, requestContract: number, change: 'model' | 'artifacts'): string {
  if (parent === null) return `${requestContract}.0.0`;
  const { major, minor, patch } = parseBundleVersion(parent);
  if (major !== requestContract) return `${requestContract}.0.0`;
  return change === 'model' ? `${major}.${minor + 1}.0` : `${major}.${minor}.${patch + 1}`;
}
