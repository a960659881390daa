import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { loadModel } from '../../platform/models.js';
import { projectPath } from '../../platform/project.js';
import { ensureTrainerPython } from '../../stack/install/python.js';
import { context, say } from '../setup.js';

const MODEL = 'ulb_gbdt';
/** late enough for every label of the files to be known */
const AS_OF = '2025-08-15T00:00:00Z';

/** Trains the two models of a bundle on a file of transactions, in a new folder, which stays: it is told, to be used again. */
export async function makeModels(file: string): Promise<string> {
  const python = await ensureTrainerPython(context);
  const directory = await mkdtemp(join(tmpdir(), 'sluice-kernel-'));
  const { spec } = await loadModel(projectPath('models'), MODEL);
  const trainer = join(directory, 'trainer.json');
  await writeFile(trainer, JSON.stringify(spec.trainer));
  const table = join(directory, 'table.parquet');
  say(`training on ${file}; the next run can take --models ${directory}`);
  await execa(python, [
    projectPath('test', 'parity', 'features_pandas.py'),
    ...['--transactions', file, '--fixings', projectPath('data', 'ecb_fixings.csv'), '--as-of', AS_OF],
    ...['--synonyms', projectPath('models', MODEL, 'operation_type_synonyms.json'), '--out', table],
  ]);
  await execa(python, [projectPath('bench', 'kernel', 'train_models.py'), table, trainer, directory]);
  return directory;
}
