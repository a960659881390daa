import { Command } from 'commander';
import { overrideLine } from '../../domain/release/overrides.js';
import type { AuditEntry } from '../../schemas/types.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { parseAtLeastOne, parseSha256 } from '../options.js';
import { withMongo } from '../stores.js';

/** `sluice audit …`: who changed what is live, when and why, and whether that record is whole. */
export function auditCommand(cli: Cli): Command {
  const audit = new Command('audit');

  audit
    .command('verify')
    .description('check that no entry was changed, removed or repeated')
    .option('--head <sha256>', 'a head hash you saved earlier: it must still be in the chain', parseSha256)
    .addHelpText(
      'after',
      '\nPrints the head hash. Save it somewhere else: a chain whose newest entries were removed is consistent in itself.\nExit code 3: the chain is broken (the first wrong entry is named), or does not contain --head.\n\nExamples:\n  sluice audit verify\n  sluice audit verify --head 3f1c9bd1a3a1f1c1f0e8b1c2b7a9d4e5f60718293a4b5c6d7e8f901234567890',
    )
    .action((options: { head?: string }) =>
      withEntries(cli, async (entries) => {
        const { verifyAuditChain } = await import('../../domain/audit/chain.js');
        const verdict = verifyAuditChain(entries);
        if (!verdict.intact) {
          cli.output.result(verdict, () => `broken at entry ${verdict.seq}: ${verdict.problem}`);
          return EXIT.failed;
        }
        if (options.head !== undefined && !entries.some(({ hash }) => hash === options.head)) {
          const problem = `it does not contain head ${options.head}: entries were removed or replaced, or the hash is wrong`;
          cli.output.result(
            { ...verdict, intact: false, problem },
            () => `the chain is consistent, but ${problem}; current head: ${verdict.head}`,
          );
          return EXIT.failed;
        }
        cli.output.result(verdict, () => `intact: ${verdict.entries} entries, head ${verdict.head}`);
        return EXIT.ok;
      }),
    );

  audit
    .command('list')
    .description('list changes of the live bundle, newest first')
    .option('-m, --model <name>', 'one model only')
    .option('--limit <n>', 'show the N newest', parseAtLeastOne, 20)
    .addHelpText('after', '\nExample:\n  sluice audit list --limit 5')
    .action((options: { model?: string; limit: number }) =>
      withEntries(cli, (entries) => {
        const found = entries
          .filter(({ model }) => options.model === undefined || model === options.model)
          .reverse()
          .slice(0, options.limit);
        cli.output.result(found, () =>
          found.length === 0 ? 'nothing has gone live yet' : found.map(entryText).join('\n'),
        );
        return EXIT.ok;
      }),
    );

  return audit;
}

function withEntries(cli: Cli, work: (entries: AuditEntry[]) => number | Promise<number>): Promise<void> {
  return withMongo(cli, async ({ db }) => {
    const { createAuditLog } = await import('../../stores/audit-log.js');
    return await work(await createAuditLog(db).entries());
  });
}

function entryText(entry: AuditEntry): string {
  const { seq, at, model, environment, generation, old_version, new_version, actor, reason, change } = entry;
  const lines = [
    `${seq}  ${at.slice(0, 19)}  ${model} ${environment} generation ${generation}: ${old_version ?? 'nothing'} → ${new_version}`,
    `   ${change === undefined ? '' : `${change.kind}, `}by ${actor}: ${reason}`,
  ];
  if (change?.decided_by !== undefined)
    lines.push(
      `   approved by ${change.decided_by}: ${change.decision_reason ?? ''} (digest ${change.proposal_sha256 ?? '?'})`,
    );
  for (const override of change?.overrides ?? []) lines.push(`   for this change only: ${overrideLine(override)}`);
  for (const { name, old, new: now } of change?.values ?? []) lines.push(`   ${name}: ${old ?? '–'} → ${now ?? '–'}`);
  return lines.join('\n');
}
