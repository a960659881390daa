import { ensureBinary, goInstall } from './binary.js';
import type { InstallContext } from './context.js';

// Newer tags of the CLI carry a `replace` in go.mod, which `go install` refuses.
const VERSION = '1.5.1';
const OS: Partial<Record<NodeJS.Platform, string>> = { linux: 'linux', darwin: 'darwin' };
const ARCH: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };

/** The `temporal` command, which contains the server and its UI. */
export function ensureTemporal(context: InstallContext): Promise<string> {
  const os = OS[process.platform];
  const arch = ARCH[process.arch];
  const release = `https://github.com/temporalio/cli/releases/download/v${VERSION}`;
  return ensureBinary(context, {
    name: 'temporal',
    title: 'Temporal CLI',
    version: VERSION,
    part: 'temporal',
    versionArgs: ['--version'],
    suits: suitsTemporal,
    ...(os === undefined || arch === undefined
      ? {}
      : {
          prebuilt: {
            url: `${release}/temporal_cli_${VERSION}_${os}_${arch}.tar.gz`,
            checksumUrl: `${release}/checksums.txt`,
          },
        }),
    lastResort: goInstall({
      part: 'temporal',
      title: 'Temporal CLI',
      version: VERSION,
      package: 'github.com/temporalio/cli/cmd/temporal',
      ldflags: `-s -w -X github.com/temporalio/cli/temporalcli.Version=${VERSION}`,
      minutesOnTwoCores: 4,
    }),
    otherwise:
      'Install the Temporal CLI yourself (https://docs.temporal.io/cli) so that `temporal` is on PATH, or set TEMPORAL_ADDRESS to a server of yours.',
  });
}

/** Whether a `temporal --version` is one we know to work: server 1.29 or a later 1.x (updates, current details and SQLite pragmas are in it). */
export function suitsTemporal(versionOutput: string): boolean {
  const match = /Server (\d+)\.(\d+)\./.exec(versionOutput);
  return match !== null && Number(match[1]) === 1 && Number(match[2]) >= 29;
}
