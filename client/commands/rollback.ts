import { Command } from 'commander';
import type { Environment } from '../../workflows/rolloutBundle/contract.js';
import {
  rollbackOperation,
  rollbackWorkflowId,
  WORKFLOW,
  type RollbackInput,
  type RollbackResult,
} from '../../workflows/rollbackRelease/contract.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { environmentOption, modelOption, parseReleaseId, parseText } from '../options.js';

/** `sluice rollback`. */
export function rollbackCommand(cli: Cli): Command {
  return new Command('rollback')
    .argument('[version]', 'version of a bundle (default: the last good one before the live one)', parseReleaseId)
    .addOption(modelOption(cli))
    .addOption(environmentOption('whose live bundle is changed; a named bundle also goes into an empty staging'))
    .requiredOption('--reason <text>', 'why; it is recorded', parseText)
    .addHelpText('after', '\nExample:\n  sluice rollback --reason "too many false alerts"')
    .action((version: string | undefined, options: { model: string; environment: Environment; reason: string }) =>
      cli.withSession(async (session) => {
        const [{ newRunId }, { callerBy, runOperation }, { stepLines }] = await Promise.all([
          import('../runs/id.js'),
          import('../runs/operation.js'),
          import('../runs/text.js'),
        ]);
        const { model, environment, reason } = options;
        const releaseId = `rollback-${newRunId()}`;
        const workflowId = rollbackWorkflowId(model, releaseId);
        const asked = { model, environment, version: version ?? null };
        const operation = rollbackOperation(asked);
        const caller = callerBy(cli, reason, { operationId: releaseId, operation, workflowId });
        const { result, url } = await runOperation<RollbackResult>(cli, session, {
          workflowType: WORKFLOW,
          workflowId,
          input: { ...asked, releaseId, caller } satisfies RollbackInput,
          summary: `${operation} by ${cli.actor}: ${reason}`,
        });
        cli.output.result({ ...result, workflowId, url }, () =>
          [
            ...stepLines(result.steps),
            `${result.version} is live (was ${result.from ?? 'nothing'}), generation ${result.rollout.generation}`,
          ].join('\n'),
        );
        return EXIT.ok;
      }),
    );
}
