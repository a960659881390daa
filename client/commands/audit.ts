import { Command } from 'commander';
import { createAuditLog } from '../../stores/audit-log.js';
import { verifyAuditChain } from '../../domain/audit/chain.js';
import { mongoOf } from '../../platform/connect.js';
import type { AuditEntry } from '../../schemas/types.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { parseCount } from '../options.js';

/** `sluice audit …`: who changed what is live, when and why, and whether that record is whole. */
export function auditCommand(cli: Cli): Command {
  const audit = new Command('audit').description('the hash-chained record of every change of what is live');

  audit
    .command('verify')
    .description('check the whole chain: nothing changed, missing or doubled')
    .option('--head <sha256>', 'a head hash that was kept elsewhere: it must still be in the chain')
    .addHelpText(
      'after',
      '\nPrints the head hash: keep it elsewhere, since a chain whose end was cut off is whole in itself.\nExit code 3: broken; the first entry that does not fit is named.\n\nExamples:\n  sluice audit verify\n  sluice audit verify --head 3f1c…',
    )
    .action((options: { head?: string }) =>
      withEntries(cli, (entries) => {
        const verdict = verifyAuditChain(entries);
        if (!verdict.intact) {
          cli.output.result(verdict, () => `broken at entry ${verdict.seq}: ${verdict.problem}`);
          return EXIT.failed;
        }
        if (options.head !== undefined && !entries.some(({ hash }) => hash === options.head)) {
          const problem = 'the head that was kept elsewhere is not in it: entries behind it were cut off or replaced';
          cli.output.result(
            { ...verdict, intact: false, problem },
            () => `the chain holds, but ${problem}; its head is ${verdict.head}`,
          );
          return EXIT.failed;
        }
        cli.output.result(verdict, () => `intact: ${verdict.entries} entries, head ${verdict.head}`);
        return EXIT.ok;
      }),
    );

  audit
    .command('list')
    .description('changes of what is live, newest first')
    .option('-m, --model <name>', 'of one model only')
    .option('--limit <n>', 'how many', parseCount, 20)
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

function withEntries(cli: Cli, work: (entries: AuditEntry[]) => number): Promise<void> {
  return cli.withSettings(async (settings) => {
    const mongo = await mongoOf(settings, 'sluice-audit');
    try {
      return work(await createAuditLog(mongo.db).entries());
    } finally {
      await mongo.close();
    }
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
  for (const { name, old, new: now } of change?.values ?? []) lines.push(`   ${name}: ${old ?? '–'} → ${now ?? '–'}`);
  return lines.join('\n');
}
