import type { Command, Option } from 'commander';
import { parseText } from '../options.js';

/** What `approve` and `reject` take, whatever is decided. */
export interface DecisionOptions {
  model: string;
  reason: string;
  digest?: string;
}

/** Adds `approve` and `reject` to the commands of a kind of run. */
export function addDecisions<Options extends DecisionOptions>(
  parent: Command,
  about: {
    /** what names the run: `id`, `key` */
    argument: string;
    /** what is decided: `the promotion` */
    what: string;
    options: readonly (() => Option)[];
    approveOptions?: readonly (() => Option)[];
    example: string;
    decide: (verdict: 'approve' | 'reject', name: string, options: Options) => Promise<void>;
  },
): void {
  for (const verdict of ['approve', 'reject'] as const) {
    const command = parent
      .command(`${verdict} <${about.argument}>`)
      .description(`${verdict} ${about.what}`)
      .requiredOption('--reason <text>', 'why; it is recorded', parseText)
      .option('--digest <sha256>', 'digest of the proposal you looked at (default: the one shown now)')
      .addHelpText(
        'after',
        `\nYou decide as --actor or your user name; the token, if your principal has one, is read from SLUICE_TOKEN.\n\nExample:\n  sluice ${parent.name()} ${verdict} ${about.example}`,
      )
      .action((name: string, options: Options) => about.decide(verdict, name, options));
    for (const option of [...about.options, ...(verdict === 'approve' ? (about.approveOptions ?? []) : [])])
      command.addOption(option());
  }
}
