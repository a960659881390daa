import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SluiceError } from '../../platform/errors.js';
import { ensureCached } from './cache.js';
import type { InstallContext } from './context.js';
import { run, versionOf } from './run.js';

/** A browser for tests of pages. */
export interface Chromium {
  executable: string;
  /** goes over the environment it is started with */
  env: Record<string, string>;
}

const PART = 'browser';
const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const BINARY = join('usr', 'lib', 'chromium', 'chromium');

/**
 * Chromium: on PATH, else unpacked into the cache from Debian's own packages, without root and without installing anything on the system.
 * Debian keeps only its newest build, so this is the one tool whose version is not pinned; apt checks the signatures.
 * @throws SluiceError ToolMissing where there is neither
 */
export async function ensureChromium(context: InstallContext): Promise<Chromium> {
  for (const executable of onPath(context.env))
    if ((await versionOf(executable, ['--version'], context.env)) !== null) return { executable, env: {} };
  const release = debianRelease();
  if (release === null || (await versionOf('apt-get', ['--version'], context.env)) === null)
    throw new SluiceError('ToolMissing', 'There is no Chromium: install one so that `chromium` is on PATH.');
  const directory = await ensureCached(context, {
    key: `chromium-debian-${release}-${process.arch}`,
    title: 'Chromium',
    part: PART,
    hashed: [BINARY],
    install: (draft) => unpackPackages(context, draft),
  });
  return { executable: join(directory, BINARY), env: { LD_LIBRARY_PATH: libraryPath(directory) } };
}

function onPath(env: NodeJS.ProcessEnv): string[] {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).filter((path) => existsSync(path));
}

/** The system's package lists may be old or absent, and only root may write there: apt gets lists of its own. */
async function unpackPackages(context: InstallContext, directory: string): Promise<void> {
  const apt = join(directory, 'apt');
  for (const folder of ['state/lists/partial', 'cache/archives/partial'])
    mkdirSync(join(apt, folder), { recursive: true });
  const settings = [
    ['Dir::State', join(apt, 'state')],
    ['Dir::State::status', '/var/lib/dpkg/status'],
    ['Dir::Cache', join(apt, 'cache')],
    ['Debug::NoLocking', '1'],
    ['APT::Sandbox::User', ''],
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const step = (title: string, args: string[], estimate: string) =>
    run(context, 'apt-get', [...settings, ...args], { title, part: PART, estimate });
  await step('reading Debian’s package lists', ['update'], 'about 10 s');
  await step(
    'downloading Chromium',
    ['install', '--yes', '--no-install-recommends', '--download-only', 'chromium'],
    '130 MB',
  );
  const archives = join(apt, 'cache', 'archives');
  await run(
    context,
    'sh',
    ['-c', 'for file in "$1"/*.deb; do dpkg-deb -x "$file" "$2"; done', 'sh', archives, directory],
    {
      title: 'unpacking Chromium',
      part: PART,
    },
  );
  rmSync(apt, { recursive: true });
  if (!existsSync(join(directory, BINARY))) throw new Error('Debian’s chromium package does not hold what it did');
}

/** Every folder of the unpacked packages that holds shared libraries. */
function libraryPath(directory: string): string {
  const libraries = join(directory, 'usr', 'lib');
  const folders = readdirSync(libraries, { recursive: true, withFileTypes: true })
    .filter((entry) => /\.so(\.\d+)*$/.test(entry.name))
    .map((entry) => entry.parentPath)
    .filter((folder) => !folder.includes(join('lib', 'chromium')));
  return [...new Set(folders)].join(':');
}

/** For example `12`; null where this is not Debian. */
function debianRelease(): string | null {
  if (!existsSync('/etc/os-release')) return null;
  const text = readFileSync('/etc/os-release', 'utf8');
  return /^ID=debian$/m.test(text) ? (/^VERSION_ID="?([\d.]+)"?$/m.exec(text)?.[1] ?? null) : null;
}
