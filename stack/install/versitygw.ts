import { ensureBinary, goInstall } from './binary.js';
import type { InstallContext } from './context.js';

const VERSION = '1.8.0';
const OS: Partial<Record<NodeJS.Platform, string>> = { linux: 'Linux', darwin: 'Darwin' };
const ARCH: Partial<Record<NodeJS.Architecture, string>> = { x64: 'x86_64', arm64: 'arm64' };

/** versitygw, the S3 server. */
export function ensureVersitygw(context: InstallContext): Promise<string> {
  const os = OS[process.platform];
  const arch = ARCH[process.arch];
  const release = `https://github.com/versity/versitygw/releases/download/v${VERSION}`;
  return ensureBinary(context, {
    name: 'versitygw',
    title: 'versitygw',
    version: VERSION,
    part: 's3',
    versionArgs: ['--version'],
    suits: (output) => output.includes(`: ${VERSION}\n`),
    ...(os === undefined || arch === undefined
      ? {}
      : {
          prebuilt: {
            url: `${release}/versitygw_v${VERSION}_${os}_${arch}.tar.gz`,
            checksumUrl: `${release}/checksums.txt`,
          },
        }),
    lastResort: goInstall({
      part: 's3',
      title: 'versitygw',
      version: VERSION,
      package: 'github.com/versity/versitygw/cmd/versitygw',
      ldflags: `-s -w -X main.Version=${VERSION}`,
      minutesOnTwoCores: 1,
    }),
    otherwise:
      'Set S3_ENDPOINT, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY to an S3 of yours that knows conditional puts.',
  });
}
