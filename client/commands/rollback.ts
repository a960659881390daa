import { Command } from 'commander';
import { WorkflowFailedError } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import { decisionProof, operationAsDecision } from '../../domain/approval/proof.js';
import { SluiceError } from '../../platform/errors.js';
import {
  rollbackWorkflowId,
  WORKFLOW,
  type RollbackInput,
  type RollbackResult,
} from '../../workflows/rollbackRelease/contract.js';
import { QUEUES } from '../../workflows/common/queues.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { parseReleaseId, parseText } from '../options.js';
import { newReleaseId } from '../release/release.js';
import { stepLine } from '../release/view.js';

export function rollbackCommand(cli: Cli): Command {
  return new Command('rollback')
    .description('put the last good bundle, or a named one, back live')
    .argument('[version]', "a bundle's version (default: the last good one before what is live)", parseReleaseId)
    .option('-m, --model <name>', 'the model', 'ulb_gbdt')
    .option(
      '--environment <name>',
      'production or staging; a named bundle also goes into an empty staging',
      'production',
    )
    .requiredOption('--reason <text>', 'why; it is recorded', parseText)
    .action((version: string | undefined, options: { model: string; environment: string; reason: string }) =>
      cli.withSession(async (session) => {
        if (options.environment !== 'production' && options.environment !== 'staging')
          throw new SluiceError('InvalidInput', '--environment must be production or staging');
        const releaseId = `rollback-${newReleaseId()}`;
        const workflowId = rollbackWorkflowId(options.model, releaseId);
        const operation = `rollback ${options.model} ${options.environment} ${version ?? 'last good'}`;
        const input: RollbackInput = {
          model: options.model,
          environment: options.environment,
          releaseId,
          version: version ?? null,
          actor: cli.actor,
          reason: options.reason,
          ...(cli.token === null
            ? {}
            : {
                proof: decisionProof(
                  cli.token,
                  operationAsDecision({ operationId: releaseId, operation, actor: cli.actor, workflowId }),
                ),
              }),
        };
        const handle = await session.client.workflow.start(WORKFLOW, {
          taskQueue: QUEUES.release,
          workflowId,
          args: [input],
          staticSummary: `${operation} by ${cli.actor}: ${options.reason}`,
        });
        cli.output.line(session.uiUrl(workflowId));
        try {
          const result = (await handle.result()) as RollbackResult;
          cli.output.result({ ...result, workflowId, url: session.uiUrl(workflowId) }, () =>
            [
              ...result.steps.map((step) => stepLine(step)),
              `${result.version} is live (was ${result.from ?? 'nothing'}), generation ${result.rollout.generation}`,
            ].join('\n'),
          );
          return EXIT.ok;
        } catch (error) {
          if (!(error instanceof WorkflowFailedError)) throw error;
          throw new SluiceError(
            'RolloutFailed',
            `${rootCause(error.cause) ?? error.message}\n${session.uiUrl(workflowId)}`,
          );
        }
      }),
    );
}
