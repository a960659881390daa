import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';

/** Fewer rows and trees, and limits that such a model keeps: a release on it is real in every step and takes a third of the time. */
export async function trainLess(modelFolder: string): Promise<void> {
  const file = join(modelFolder, 'model.yaml');
  const spec = parseDocument(await readFile(file, 'utf8'));
  spec.setIn(['data', 'window_days'], 90);
  spec.setIn(['trainer', 'params', 'n_estimators'], 50);
  spec.setIn(['trainer', 'params', 'learning_rate'], 0.15);
  spec.setIn(['operating_threshold'], { strategy: 'max_f1', min_precision: 0.3, min_recall: 0.3 });
  spec.setIn(['gates'], [{ metric: 'auc_roc', min: 0.8 }]);
  spec.setIn(['champion_comparison'], [{ metric: 'auc_roc', max_drop: 0.2 }]);
  await writeFile(file, spec.toString());
}
