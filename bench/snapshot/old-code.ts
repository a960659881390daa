import { existsSync } from 'node:fs';
import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { projectPath } from '../../platform/project.js';
import { ensureCached } from '../../stack/install/cache.js';
import type { InstallContext } from '../../stack/install/context.js';

/** The last commit of the snapshot that this one is compared with. */
export const OLD_COMMIT = '03dfd1e';

/**
 * That commit's own code, built once per user with the packages of this checkout.
 * @returns its root, where `dist/` lies
 */
export async function ensureOldCode(context: InstallContext): Promise<string> {
  const root = await ensureCached(context, {
    key: `bench-snapshot-${OLD_COMMIT}`,
    title: `the code of ${OLD_COMMIT}`,
    part: 'bench',
    hashed: [],
    install: async (draft) => {
      context.log({
        part: 'bench',
        phase: 'installing',
        message: `building the code of ${OLD_COMMIT}, about a minute, once per user`,
      });
      const archive = await execa('git', ['archive', OLD_COMMIT], {
        cwd: projectPath(),
        encoding: 'buffer',
        reject: false,
      });
      if (archive.exitCode !== 0)
        throw new Error(`${OLD_COMMIT} is not in this clone's history. Fetch it: git fetch --unshallow`);
      await execa('tar', ['-x', '-C', draft], { input: archive.stdout });
      await usePackages(draft);
      // It was written for the packages of its day; what it says of the types of today's does not matter.
      const compiled = await execa(projectPath('node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json'], {
        cwd: draft,
        reject: false,
      });
      if (!existsSync(join(draft, 'dist', 'workers', 'data.js')))
        throw new Error(`the code of ${OLD_COMMIT} could not be built: ${compiled.stdout || compiled.message}`);
    },
  });
  await usePackages(root);
  return root;
}

async function usePackages(root: string): Promise<void> {
  await rm(join(root, 'node_modules'), { force: true });
  await symlink(projectPath('node_modules'), join(root, 'node_modules'));
}
