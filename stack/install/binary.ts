import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { SluiceError } from '../../platform/errors.js';
import { ensureCached } from './cache.js';
import { waitForLock } from '../state/lock.js';
import { cacheRoot, type InstallContext } from './context.js';
import { downloadArchive, type Prebuilt } from './download.js';
import { run, versionOf } from './run.js';

/** A server that is one executable file. */
export interface BinaryTool {
  /** the executable's name, on PATH and in the cache */
  name: string;
  title: string;
  version: string;
  part: string;
  versionArgs: string[];
  /** whether an executable found on PATH will do, from what it says of its version */
  suits: (versionOutput: string) => boolean;
  /** the publisher's build for this platform, if there is one */
  prebuilt?: Prebuilt;
  lastResort: LastResort;
  /** what the user can do where nothing works */
  otherwise: string;
}

export interface LastResort {
  describe: string;
  install: (context: InstallContext, directory: string) => Promise<void>;
}

/** The executable: on PATH where its version suits, from the cache, downloaded, or by the tool's last resort; in this order. */
export async function ensureBinary(context: InstallContext, tool: BinaryTool): Promise<string> {
  const onPath = await versionOf(tool.name, tool.versionArgs, context.env);
  if (onPath !== null && tool.suits(onPath)) return tool.name;
  if (onPath !== null) {
    context.log({
      part: tool.part,
      phase: 'info',
      message: `${tool.name} on PATH is another version (${onPath.split('\n')[0] ?? ''}); using ${tool.version}`,
    });
  }
  const directory = await ensureCached(context, {
    key: `${tool.name}-${tool.version}-${process.platform}-${process.arch}`,
    title: `${tool.title} ${tool.version}`,
    part: tool.part,
    hashed: [tool.name],
    install: (draft) => installBinary(context, tool, draft),
  });
  return join(directory, tool.name);
}

async function installBinary(context: InstallContext, tool: BinaryTool, draft: string): Promise<void> {
  const problems: string[] = [];
  const ways: [string, () => Promise<void>][] = [];
  const { prebuilt } = tool;
  if (prebuilt !== undefined)
    ways.push([
      'download',
      () => downloadArchive(context, tool.part, `${tool.title} ${tool.version}`, prebuilt, draft),
    ]);
  ways.push([tool.lastResort.describe, () => tool.lastResort.install(context, draft)]);
  for (const [way, install] of ways) {
    try {
      await install();
      keepOnly(draft, tool.name);
      const says = await versionOf(join(draft, tool.name), tool.versionArgs, context.env);
      if (says === null) throw new Error(`${tool.name} was installed, but does not run on this machine`);
      return;
    } catch (error) {
      context.signal?.throwIfAborted();
      const problem = `${way}: ${(error as Error).message}`;
      problems.push(problem);
      context.log({
        part: tool.part,
        phase: 'info',
        message: `${tool.title}: no luck with ${problem.split('\n')[0] ?? ''}`,
      });
      for (const name of readdirSync(draft)) rmSync(join(draft, name), { recursive: true, force: true });
    }
  }
  throw new SluiceError(
    'ToolMissing',
    `${tool.title} ${tool.version} could not be installed.\n${problems.map((problem) => `- ${problem}`).join('\n')}\n${tool.otherwise}`,
  );
}

/** Moves the executable to the folder's top and removes everything else that an archive or a build left there. */
function keepOnly(directory: string, name: string): void {
  const found = readdirSync(directory, { recursive: true, withFileTypes: true }).find(
    (entry) => entry.isFile() && entry.name === name,
  );
  if (found === undefined) throw new Error(`what was installed does not contain ${name}`);
  const staged = join(directory, `.${name}`);
  renameSync(join(found.parentPath, name), staged);
  for (const entry of readdirSync(directory))
    if (entry !== `.${name}`) rmSync(join(directory, entry), { recursive: true, force: true });
  renameSync(staged, join(directory, name));
  chmodSync(join(directory, name), 0o755);
}

/**
 * `go install` as a last resort.
 * @param minutesOnTwoCores what a build with an empty Go cache took; the estimate scales with the cores of this machine
 */
export function goInstall(tool: {
  part: string;
  title: string;
  version: string;
  package: string;
  ldflags: string;
  minutesOnTwoCores: number;
}): LastResort {
  return {
    describe: 'go install',
    install: async (context, directory) => {
      if ((await versionOf('go', ['version'], context.env)) === null)
        throw new Error(
          'Go is not installed (https://go.dev/dl, 1.21 or newer; it fetches the release it needs by itself)',
        );
      // One build at a time: each uses every core, and its estimate holds.
      mkdirSync(cacheRoot(context.env), { recursive: true, mode: 0o700 });
      const release = await waitForLock(
        join(cacheRoot(context.env), 'go-build.lock'),
        () =>
          context.log({
            part: tool.part,
            phase: 'installing',
            message: `${tool.title} is built after the other build`,
          }),
        context.signal,
      );
      const minutes = Math.max(1, Math.round((tool.minutesOnTwoCores * 2) / cpus().length));
      const built = run(context, 'go', ['install', `-ldflags=${tool.ldflags}`, `${tool.package}@v${tool.version}`], {
        title: `building ${tool.title} ${tool.version} with Go`,
        part: tool.part,
        estimate: `about ${minutes} min with an empty Go cache on ${cpus().length} cores, once per user`,
        // neither server needs C, so the machine need not have a compiler for it
        env: { GOBIN: directory, CGO_ENABLED: '0' },
      });
      await built.finally(release);
    },
  };
}
