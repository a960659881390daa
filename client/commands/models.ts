import { Command } from 'commander';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';

/** `sluice models …` */
export function modelsCommand(cli: Cli): Command {
  const models = new Command('models');
  models
    .command('check [name...]')
    .description('check model folders before a release is tried: spec, features, request schema, rules, lookups')
    .addHelpText(
      'after',
      `
Checks every folder of models/ by default, as a release does before it begins; needs no stack. SLUICE_MODELS_DIR names another folder of models.
Whether the trainer takes its parameters shows only in training. Exit code 2: a folder is not valid; 7: there is no such folder.

Examples:
  sluice models check
  sluice models check ulb_gbdt --json`,
    )
    .action(async (names: string[]) => {
      const { checkModels, modelText } = await import('../models/check.js');
      const checks = await checkModels(cli.modelsDirectory, names);
      cli.output.result(checks, () => checks.map(modelText).join('\n'));
      cli.setExitCode(checks.every(({ valid }) => valid) ? EXIT.ok : EXIT.usage);
    });
  return models;
}
