import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectPath } from '../../platform/project.js';
import { SluiceError } from '../../platform/errors.js';
import { ensureCached } from './cache.js';
import type { InstallContext } from './context.js';
import { run, versionOf } from './run.js';

const CANDIDATES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];
const OLDEST_MINOR = 10;

interface Interpreter {
  command: string;
  /** major.minor.patch */
  version: string;
}

/** The first Python on PATH that is new enough. */
export async function findPython(context: InstallContext): Promise<Interpreter> {
  const seen: string[] = [];
  for (const command of CANDIDATES) {
    const version = /Python (\d+\.\d+\.\d+)/.exec((await versionOf(command, ['--version'], context.env)) ?? '')?.[1];
    if (version === undefined) continue;
    const [major, minor] = version.split('.').map(Number);
    if (major === 3 && (minor ?? 0) >= OLDEST_MINOR) return { command, version };
    seen.push(`${command} is ${version}`);
  }
  throw new SluiceError(
    'ToolMissing',
    `Python 3.${OLDEST_MINOR} or newer is needed (the trainer and MLflow run on it) and is not on PATH${seen.length === 0 ? '' : `: ${seen.join(', ')}`}. ` +
      'Install it (Debian: apt install python3 python3-venv; macOS: brew install python), or set SLUICE_PYTHON to an interpreter that has the packages of training/requirements.lock.',
  );
}

function keyOf(...parts: string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 12);
}

const PYTHON_IN_VENV = process.platform === 'win32' ? join('Scripts', 'python.exe') : join('bin', 'python');

/** A small environment with pip and a pinned uv, from which everything else of Python is installed. */
export async function ensureInstallerPython(context: InstallContext): Promise<string> {
  const { command, version } = await findPython(context);
  const lock = projectPath('stack', 'install', 'uv.lock');
  const directory = await ensureCached(context, {
    key: `python-installer-${version}-${keyOf(readFileSync(lock, 'utf8'), process.platform, process.arch)}`,
    title: "Python's installer (uv)",
    part: 'python',
    hashed: [],
    install: async (draft) => {
      await run(context, command, ['-m', 'venv', draft], {
        title: 'making a Python environment',
        part: 'python',
      }).catch((error: unknown) => {
        throw new SluiceError(
          'ToolMissing',
          `${(error as Error).message}\nPython's venv module does not work; on Debian and Ubuntu: apt install python3-venv`,
          undefined,
          { cause: error },
        );
      });
      await run(
        context,
        join(draft, PYTHON_IN_VENV),
        ['-m', 'pip', 'install', '--quiet', '--require-hashes', '--only-binary', ':all:', '--requirement', lock],
        {
          title: 'installing uv',
          part: 'python',
          estimate: '20 MB',
        },
      );
    },
  });
  return join(directory, PYTHON_IN_VENV);
}

/** The interpreter with the packages of training/requirements.lock, each checked against its hash: for the trainer and for MLflow. */
export async function ensureTrainerPython(context: InstallContext): Promise<string> {
  const own = context.env['SLUICE_PYTHON'];
  if (own !== undefined && own !== '') return await checkedOwnPython(context, own);
  return await ensureLockedPython(context, {
    lock: projectPath('training', 'requirements.lock'),
    title: "the trainer's Python packages",
    estimate: '780 MB on disk, 1 to 3 min from PyPI, seconds with a warm uv cache, once per user',
  });
}

/** An interpreter in an environment of its own, with exactly the packages of a lock file, each checked against its hash. */
export async function ensureLockedPython(
  context: InstallContext,
  { lock, title, estimate }: { lock: string; title: string; estimate: string },
): Promise<string> {
  const { command, version } = await findPython(context);
  const directory = await ensureCached(context, {
    key: `python-${version}-${keyOf(readFileSync(lock, 'utf8'), process.platform, process.arch)}`,
    title,
    part: 'python',
    hashed: [],
    install: async (draft) => {
      const installer = await ensureInstallerPython(context);
      const uv = join(installer, '..', process.platform === 'win32' ? 'uv.exe' : 'uv');
      await run(context, uv, ['venv', '--quiet', '--allow-existing', '--relocatable', '--python', command, draft], {
        title: `making the environment of ${title}`,
        part: 'python',
      });
      await run(
        context,
        uv,
        [
          'pip',
          'install',
          '--quiet',
          '--python',
          join(draft, PYTHON_IN_VENV),
          '--require-hashes',
          '--only-binary',
          ':all:',
          '--requirement',
          lock,
        ],
        { title: `installing ${title}`, part: 'python', estimate },
      );
    },
  });
  return join(directory, PYTHON_IN_VENV);
}

async function checkedOwnPython(context: InstallContext, python: string): Promise<string> {
  const missing = await versionOf(
    python,
    [
      '-c',
      "import importlib.util as u; print('missing:', *[m for m in ('mlflow', 'lightgbm', 'sklearn', 'onnxmltools', 'skl2onnx', 'onnxruntime', 'boto3') if u.find_spec(m) is None])",
    ],
    context.env,
  );
  if (missing === null)
    throw new SluiceError(
      'ToolMissing',
      `SLUICE_PYTHON=${python} cannot be run; set it to an interpreter, or unset it to have one installed.`,
    );
  const names = missing.replace('missing:', '').trim();
  if (names !== '') {
    throw new SluiceError(
      'PythonPackageMissing',
      `SLUICE_PYTHON=${python} lacks ${names.split(' ').join(', ')}: run \`${python} -m pip install -r ${projectPath('training', 'requirements.lock')}\`, or unset SLUICE_PYTHON to have it installed.`,
    );
  }
  return python;
}
